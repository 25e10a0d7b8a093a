"""cfn-lint finds nothing in any template, and would find what is wrong."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint
from tests.fakes.lambda_templates import EVERY_TRIGGER, properties, template

from preheat_providers.aws_lambda.options import Options

REGIONS = ["eu-central-1", "us-east-1"]


def findings(made: dict[str, Any]) -> list[str]:
    return [str(match) for match in lint(json.dumps(made, indent=1), config=ManualArgs(regions=REGIONS))]


def test_every_template_is_without_a_finding(made: dict[str, Any]) -> None:
    assert findings(made) == []


def unknown_runtime(made: dict[str, Any]) -> None:
    properties(made, "Function")["Runtime"] = "python3.7x"


def too_much_memory(made: dict[str, Any]) -> None:
    properties(made, "Function")["MemorySize"] = 99_999


def unknown_snapshot(made: dict[str, Any]) -> None:
    properties(made, "Function")["SnapStart"] = {"ApplyOn": "Always"}


def unknown_attribute(made: dict[str, Any]) -> None:
    properties(made, "Alias")["FunctionVersion"] = {"Fn::GetAtt": ["Function", "Release"]}


def lost_reference(made: dict[str, Any]) -> None:
    del made["Resources"]["SchedulerRole"]


def unknown_action(made: dict[str, Any]) -> None:
    statement = properties(made, "Role")["Policies"][0]["PolicyDocument"]["Statement"][0]
    statement["Action"] = ["logs:PutLogEventz"]


@pytest.mark.parametrize(
    "fault",
    [unknown_runtime, too_much_memory, unknown_snapshot, unknown_attribute, lost_reference, unknown_action],
)
def test_a_planted_fault_is_found(fault: Callable[[dict[str, Any]], None]) -> None:
    made = template(*EVERY_TRIGGER, options=Options(jobs=True))
    fault(made)
    assert findings(made)
