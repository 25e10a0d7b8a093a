"""cfn-lint finds nothing in any template, and would find what is wrong."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint
from tests.fakes.lambda_templates import properties
from tests.fakes.sagemaker_templates import KEY, UPLOAD, template

from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.template.images import images_template_of
from preheat_providers.sagemaker.template.scaling import without_scaling

REGIONS = ["eu-central-1", "us-east-1"]


def findings(made: dict[str, Any]) -> list[str]:
    return [str(match) for match in lint(json.dumps(made, indent=1), config=ManualArgs(regions=REGIONS))]


def test_every_template_is_without_a_finding(made: dict[str, Any]) -> None:
    assert findings(made) == []


def test_a_template_without_what_scales_is_still_whole() -> None:
    assert findings(without_scaling(template(UPLOAD))) == []


@pytest.mark.parametrize("options", [Options(), Options(kms_key=KEY, keep_releases=2)])
def test_the_repository_is_without_a_finding(options: Options) -> None:
    assert findings(images_template_of("ocr", "dev", options)) == []


def unknown_machine(made: dict[str, Any]) -> None:
    properties(made, "EndpointConfig")["ProductionVariants"][0]["InstanceType"] = "ml.g5.tiny"


def unknown_client_setting(made: dict[str, Any]) -> None:
    properties(made, "EndpointConfig")["AsyncInferenceConfig"]["ClientConfig"]["MaxConcurrent"] = 1


def too_many_at_once(made: dict[str, Any]) -> None:
    client = properties(made, "EndpointConfig")["AsyncInferenceConfig"]["ClientConfig"]
    client["MaxConcurrentInvocationsPerInstance"] = {"a": 1}


def lost_output(made: dict[str, Any]) -> None:
    del properties(made, "EndpointConfig")["AsyncInferenceConfig"]["OutputConfig"]


def unknown_attribute(made: dict[str, Any]) -> None:
    properties(made, "Endpoint")["EndpointConfigName"] = {"Fn::GetAtt": ["EndpointConfig", "Name"]}


def unknown_routing(made: dict[str, Any]) -> None:
    update = properties(made, "Endpoint")["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    update["TrafficRoutingConfig"] = update.pop("TrafficRoutingConfiguration")


def lost_reference(made: dict[str, Any]) -> None:
    del made["Resources"]["Instances"]


def unknown_action(made: dict[str, Any]) -> None:
    statement = properties(made, "Role")["Policies"][0]["PolicyDocument"]["Statement"][0]
    statement["Action"] = ["ecr:PullImage"]


@pytest.mark.parametrize(
    "fault",
    [
        unknown_machine,
        unknown_client_setting,
        too_many_at_once,
        lost_output,
        unknown_attribute,
        unknown_routing,
        lost_reference,
        unknown_action,
    ],
)
def test_a_planted_fault_is_found(fault: Callable[[dict[str, Any]], None]) -> None:
    made = template(UPLOAD, options=Options(notify=True))
    fault(made)
    assert findings(made)
