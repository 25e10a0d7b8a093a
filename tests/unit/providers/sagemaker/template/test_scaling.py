from typing import Any

import pytest
from tests.fakes.lambda_templates import properties
from tests.fakes.sagemaker_templates import DAY, NIGHT, UPLOAD, template

from preheat.project.model import Scaling
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.template.scaling import without_scaling

ENDPOINT = {"Name": "EndpointName", "Value": "preheat-ocr-dev"}


def test_an_asynchronous_endpoint_scales_between_none_and_the_most() -> None:
    made = template(scaling=Scaling(min=0, max=7))
    assert properties(made, "Instances") == {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "ResourceId": "endpoint/preheat-ocr-dev/variant/main",
        "MinCapacity": 0,
        "MaxCapacity": 7,
    }
    assert made["Resources"]["Instances"]["DependsOn"] == "Endpoint"


def test_the_backlog_of_each_instance_is_tracked() -> None:
    made = template(options=Options(backlog=3), scaling=Scaling(idle_s=120))
    assert properties(made, "BacklogPolicy") == {
        "PolicyName": "backlog",
        "PolicyType": "TargetTrackingScaling",
        "ScalingTargetId": {"Ref": "Instances"},
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 3,
            "CustomizedMetricSpecification": {
                "Namespace": "AWS/SageMaker",
                "MetricName": "ApproximateBacklogSizePerInstance",
                "Dimensions": [ENDPOINT],
                "Statistic": "Average",
            },
            "ScaleInCooldown": 120,
            "ScaleOutCooldown": 300,
        },
    }


def test_a_first_request_without_an_instance_starts_one() -> None:
    made = template()
    assert properties(made, "WakePolicy") == {
        "PolicyName": "wake",
        "PolicyType": "StepScaling",
        "ScalingTargetId": {"Ref": "Instances"},
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "Cooldown": 300 + 600,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    }
    alarm = properties(made, "WakeAlarm")
    assert alarm.pop("AlarmDescription")
    assert alarm == {
        "AlarmName": "preheat-ocr-dev-endpoint-wake",
        "Namespace": "AWS/SageMaker",
        "MetricName": "HasBacklogWithoutCapacity",
        "Dimensions": [ENDPOINT],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 2,
        "DatapointsToAlarm": 2,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "missing",
        "AlarmActions": [{"Ref": "WakePolicy"}],
    }


@pytest.mark.parametrize(
    ("scaling", "schedule", "wakes"),
    [
        (Scaling(min=0), (), True),
        (Scaling(min=1), (), False),
        (Scaling(min=0, warm=1), (), False),
        (Scaling(min=1), (NIGHT,), True),
        (Scaling(min=1), (DAY,), False),
    ],
)
def test_only_what_may_sleep_has_to_be_woken(scaling: Scaling, schedule: Any, wakes: bool) -> None:
    made = template(scaling=scaling, options=Options(schedule=schedule))
    assert ("WakePolicy" in made["Resources"], "WakeAlarm" in made["Resources"]) == (wakes, wakes)


def test_a_real_time_endpoint_follows_its_requests_a_minute() -> None:
    made = template(options=Options(mode="realtime", invocations=120), scaling=Scaling(min=1, max=3))
    assert properties(made, "LoadPolicy")["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 120,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleInCooldown": 300,
        "ScaleOutCooldown": 300,
    }
    assert properties(made, "Instances")["MinCapacity"] == 1
    assert not {"BacklogPolicy", "WakePolicy", "WakeAlarm"} & made["Resources"].keys()


def test_a_serverless_endpoint_scales_by_itself() -> None:
    kinds = {each["Type"] for each in template(options=Options(mode="serverless"))["Resources"].values()}
    assert not [kind for kind in kinds if "ApplicationAutoScaling" in kind]


def test_hours_change_the_least_and_the_most() -> None:
    made = template(options=Options(schedule=(DAY, NIGHT)))
    assert properties(made, "Instances")["ScheduledActions"] == [
        {
            "ScheduledActionName": "hours-0",
            "Schedule": "cron(0 8 ? * 2-6 *)",
            "Timezone": "Europe/Berlin",
            "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 5},
        },
        {
            "ScheduledActionName": "hours-1",
            "Schedule": "cron(0 18 * * ? *)",
            "Timezone": "UTC",
            "ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": 2},
        },
    ]


def test_more_than_the_most_is_never_the_least() -> None:
    assert properties(template(scaling=Scaling(min=0, max=2, warm=5)), "Instances")["MaxCapacity"] == 5


def test_without_scaling_goes_what_scales_and_what_refers_to_it_and_nothing_else() -> None:
    made = template(UPLOAD)
    gone = made["Resources"].keys() - without_scaling(made)["Resources"].keys()
    assert gone == {"Instances", "BacklogPolicy", "WakePolicy", "WakeAlarm"}
