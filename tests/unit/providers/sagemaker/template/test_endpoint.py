from typing import Any

import pytest
from tests.fakes.lambda_templates import properties
from tests.fakes.sagemaker_templates import template

from preheat.project.model import Scaling
from preheat_providers.sagemaker.options import Options


def deployment(**more: Any) -> dict[str, Any]:
    return dict(properties(template(**more), "Endpoint")["DeploymentConfig"])


def routing(percent: int | None, least: int) -> dict[str, Any]:
    options = Options(canary_percent=percent, canary_minutes=10)
    made = deployment(options=options, scaling=Scaling(min=least, max=20))
    return dict(made["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"])


@pytest.mark.parametrize(
    ("percent", "least", "instances"), [(10, 2, 1), (50, 2, 1), (50, 3, 1), (50, 4, 2), (30, 10, 3)]
)
def test_a_canary_is_a_share_of_what_always_runs_and_never_more_than_half(
    percent: int, least: int, instances: int
) -> None:
    assert routing(percent, least) == {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 600,
        "CanarySize": {"Type": "INSTANCE_COUNT", "Value": instances},
    }
    assert 2 * instances <= least


@pytest.mark.parametrize(("percent", "least"), [(None, 4), (50, 0), (50, 1)])
def test_without_a_canary_all_requests_move_at_once(percent: int | None, least: int) -> None:
    assert routing(percent, least) == {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}


def test_an_update_is_watched_and_failing_requests_undo_it() -> None:
    made = deployment(options=Options(canary_minutes=7))
    assert made["BlueGreenUpdatePolicy"]["TerminationWaitInSeconds"] == 420
    assert made["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": {"Ref": "ErrorAlarm"}}]}
    alarm = properties(template(), "ErrorAlarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SageMaker", "Invocation5XXErrors")
    assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {
        "EndpointName": "preheat-ocr-dev",
        "VariantName": "main",
    }


def test_a_release_that_fails_already_can_be_replaced() -> None:
    assert "AutoRollbackConfiguration" not in deployment(options=Options(rollback=False))


def test_an_update_keeps_the_instances_that_the_policies_asked_for() -> None:
    assert properties(template(), "Endpoint")["RetainAllVariantProperties"] is True


def test_the_logs_are_there_before_the_container_writes() -> None:
    made = template(options=Options(log_days=7))
    group = {"LogGroupName": "/aws/sagemaker/Endpoints/preheat-ocr-dev", "RetentionInDays": 7}
    assert properties(made, "LogGroup") == group
    assert made["Resources"]["Endpoint"]["DependsOn"] == ["LogGroup"]
