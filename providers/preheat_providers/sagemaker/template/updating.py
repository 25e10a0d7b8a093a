"""What SageMaker does not update in one step, or not at all. Pure.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-update.html, read on 2026-11-21. "The
AsyncInferenceConfig parameter cannot be removed from this endpoint", says SageMaker in
aws/sagemaker-python-sdk pull request 3124, read on the same day; that none is added later is a guess.
"""

from collections.abc import Mapping
from typing import Any

from preheat_providers._aws.templates.intrinsics import Json
from preheat_providers.sagemaker.options import Mode
from preheat_providers.sagemaker.template.scaling import without_scaling

CONFIG = "AWS::SageMaker::EndpointConfig"


def first_step(before: Json, after: Json) -> Json | None:
    """Return the template to apply before `after`, None where one step is enough.

    While the variant is scaled, SageMaker refuses another machine: what scales goes first.
    """
    if machine_in(before) == machine_in(after):
        return None
    stripped = without_scaling(before)
    return None if stripped == before else stripped


def update_problem(before: Json, after: Json) -> str | None:
    """Return why `before` cannot become `after`, None where it can."""
    one, other = mode_in(before), mode_in(after)
    if one == other:
        return None
    return f'The endpoint has mode = "{one}", and SageMaker does not update one to be "{other}".'


def mode_in(template: Mapping[str, Any]) -> Mode:
    """Return the mode of the endpoint that a template has."""
    config = _config(template)
    if "AsyncInferenceConfig" in config:
        return "async"
    return "serverless" if "ServerlessConfig" in _variant(config) else "realtime"


def machine_in(template: Mapping[str, Any]) -> str | None:
    """Return the machine that a template asks for; None for a serverless endpoint."""
    machine: str | None = _variant(_config(template)).get("InstanceType")
    return machine


def _config(template: Mapping[str, Any]) -> Mapping[str, Any]:
    (found,) = (each["Properties"] for each in template["Resources"].values() if each["Type"] == CONFIG)
    properties: Mapping[str, Any] = found
    return properties


def _variant(config: Mapping[str, Any]) -> Mapping[str, Any]:
    (variant,) = config["ProductionVariants"]
    found: Mapping[str, Any] = variant
    return found
