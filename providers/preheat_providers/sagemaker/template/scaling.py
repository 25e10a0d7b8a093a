"""How many instances run: two policies for an asynchronous endpoint, one for a real-time one, and hours.

Target tracking alone never leaves zero before its target is exceeded, because no instance is there to
count a backlog for; the step policy starts the first instance at the first request.
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html, read on 2026-11-21
"""

from typing import Any

from preheat_providers._aws.templates.hours import scheduled_actions
from preheat_providers._aws.templates.intrinsics import Json, Resources, ref, resource
from preheat_providers.sagemaker.template.names import VARIANT
from preheat_providers.sagemaker.template.wanted import Wanted

NAMESPACE = "AWS/SageMaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"

OUT_COOLDOWN_S = 300
"""How long an instance that was just started counts for nothing, as the example of AWS has it: an instance
takes minutes to start, and a shorter time would start one more for the same backlog."""

WAKE_PERIOD_S, WAKE_PERIODS = 60, 2
"""A request that waits without any instance is seen within two minutes."""

SCALING_KINDS = frozenset(
    {"AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"}
)


def scaling_resources(wanted: Wanted) -> Resources:
    """Return the range of instances and what moves their number within it; serverless scales by itself."""
    if wanted.options.mode == "serverless":
        return {}
    resources = {"Instances": _target(wanted)}
    if not wanted.is_async:
        return resources | {"LoadPolicy": _policy("load", _load_tracking(wanted))}
    resources["BacklogPolicy"] = _policy("backlog", _backlog_tracking(wanted))
    if sleeps(wanted):
        resources |= {"WakePolicy": _wake_policy(wanted), "WakeAlarm": _wake_alarm(wanted)}
    return resources


def sleeps(wanted: Wanted) -> bool:
    """Whether there may be no instance at some time."""
    return min([wanted.floor, *(hours.min for hours in wanted.options.schedule)]) == 0


def without_scaling(template: Json) -> Json:
    """Return `template` without what scales, for a first step before a change of the instance type.

    SageMaker refuses one while the variant is scaled:
    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html, read on 2026-11-21
    """
    resources = template["Resources"]
    scaled = {name for name, each in resources.items() if each["Type"] in SCALING_KINDS}
    kept = {
        name: each
        for name, each in resources.items()
        if name not in scaled and not scaled & set(_references(each))
    }
    return {**template, "Resources": kept}


def _references(value: Any) -> list[str]:
    match value:
        case {"Ref": str(name)}:
            return [name]
        case dict():
            return [name for each in value.values() for name in _references(each)]
        case list():
            return [name for each in value for name in _references(each)]
        case _:
            return []


def _target(wanted: Wanted) -> Json:
    return resource(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        {
            "ServiceNamespace": "sagemaker",
            "ScalableDimension": DIMENSION,
            "ResourceId": f"endpoint/{wanted.endpoint}/variant/{VARIANT}",
            "MinCapacity": wanted.floor,
            "MaxCapacity": wanted.ceiling,
            "ScheduledActions": scheduled_actions(wanted.options.schedule),
        },
        DependsOn="Endpoint",
    )


def _policy(name: str, tracking: Json) -> Json:
    return resource(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        {
            "PolicyName": name,
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": ref("Instances"),
            "TargetTrackingScalingPolicyConfiguration": tracking,
        },
    )


def _backlog_tracking(wanted: Wanted) -> Json:
    return {
        "TargetValue": wanted.options.backlog,
        "CustomizedMetricSpecification": {
            "Namespace": NAMESPACE,
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Dimensions": _dimensions(wanted),
            "Statistic": "Average",
        },
        **_cooldowns(wanted),
    }


def _load_tracking(wanted: Wanted) -> Json:
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    return {
        "TargetValue": wanted.options.invocations,
        "PredefinedMetricSpecification": metric,
        **_cooldowns(wanted),
    }


def _cooldowns(wanted: Wanted) -> Json:
    return {"ScaleInCooldown": round(wanted.project.scaling.idle_s), "ScaleOutCooldown": OUT_COOLDOWN_S}


def _wake_policy(wanted: Wanted) -> Json:
    """Return what adds one, and no second one for the same requests before the first could be ready.

    Its alarm rings until then, and a machine comes before what `startup_timeout_s` bounds.
    """
    return resource(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        {
            "PolicyName": "wake",
            "PolicyType": "StepScaling",
            "ScalingTargetId": ref("Instances"),
            "StepScalingPolicyConfiguration": {
                "AdjustmentType": "ChangeInCapacity",
                "MetricAggregationType": "Average",
                "Cooldown": OUT_COOLDOWN_S + wanted.options.startup_timeout_s,
                "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
            },
        },
    )


def _wake_alarm(wanted: Wanted) -> Json:
    return resource(
        "AWS::CloudWatch::Alarm",
        {
            "AlarmName": f"{wanted.endpoint}-endpoint-wake",
            "AlarmDescription": "Requests wait and no instance runs: starts the first one.",
            "Namespace": NAMESPACE,
            "MetricName": "HasBacklogWithoutCapacity",
            "Dimensions": _dimensions(wanted),
            "Statistic": "Average",
            "Period": WAKE_PERIOD_S,
            "EvaluationPeriods": WAKE_PERIODS,
            "DatapointsToAlarm": WAKE_PERIODS,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "missing",
            "AlarmActions": [ref("WakePolicy")],
        },
    )


def _dimensions(wanted: Wanted) -> list[Json]:
    return [{"Name": "EndpointName", "Value": wanted.endpoint}]
