"""What SageMaker does not update in one step, or not at all. Pure.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-update.html, read on 2026-11-21
"""

from collections.abc import Mapping
from typing import Any

from preheat_providers._aws.templates.intrinsics import Json
from preheat_providers.sagemaker.template.scaling import without_scaling

CONFIG = "AWS::SageMaker::EndpointConfig"


def first_step(before: Json, after: Json) -> Json | None:
    """Return the template to apply before `after`, None where one step is enough.

    While the variant is scaled, SageMaker refuses another machine: what scales goes first.
    """
    if _variant(before).get("InstanceType") == _variant(after).get("InstanceType"):
        return None
    stripped = without_scaling(before)
    return None if stripped == before else stripped


def update_problem(before: Json, after: Json) -> str | None:
    """Return why `before` cannot become `after`, None where it can."""
    if not _variant(before) or _kind(before) == _kind(after):
        return None
    return f"The endpoint is {_kind(before)}, and SageMaker does not update one to be {_kind(after)}."


def _kind(template: Json) -> str:
    return "serverless" if "ServerlessConfig" in _variant(template) else "on instances"


def _variant(template: Mapping[str, Any]) -> Mapping[str, Any]:
    for each in template["Resources"].values():
        if each["Type"] == CONFIG:
            (variant,) = each["Properties"]["ProductionVariants"]
            found: Mapping[str, Any] = variant
            return found
    return {}
