"""The scaling of one variant, read from the very resources of a CloudFormation template."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.sagemaker.alarms import Alarm

TARGET, POLICY = "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"
ALARM = "AWS::CloudWatch::Alarm"
DEFAULT_COOLDOWN_S = 300
"""For targets of SageMaker:
https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html"""

LOW = 0.9
HIGH_PERIODS, LOW_PERIODS = 3, 15
"""The alarms that target tracking makes for SageMaker, as a user found them: above the target for 3 points
within 3 minutes, below 90 % of it for 15 within 15.
https://repost.aws/questions/QUf450Wsd9RROGGOIwaolN9w/sagemaker-autoscaling-delay, read on 2026-11-21"""


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """Keeps `high.metric` at `target`."""

    target: float
    high: Alarm
    low: Alarm
    out_cooldown_s: float
    in_cooldown_s: float


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is added when the metric is from `lower` to below `upper` above the alarm's threshold."""

    lower: float
    upper: float
    change: int


@dataclass(frozen=True, kw_only=True)
class Stepping:
    """Adds instances by steps while `alarm` rings."""

    alarm: Alarm
    steps: tuple[Step, ...]
    cooldown_s: float


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """From `least` to `most` instances, moved by policies."""

    least: int
    most: int
    tracking: tuple[Tracking, ...]
    stepping: tuple[Stepping, ...]


def read_scaling(resources: Mapping[str, Any]) -> Scaling:
    """Return the scaling in `resources`, a template's, which has one target. Raises AssertionError."""
    [(name, target)] = [(name, each) for name, each in resources.items() if each["Type"] == TARGET]
    policies = {
        key: each["Properties"]
        for key, each in resources.items()
        if each["Type"] == POLICY and each["Properties"]["ScalingTargetId"] == {"Ref": name}
    }
    return Scaling(
        least=target["Properties"]["MinCapacity"],
        most=target["Properties"]["MaxCapacity"],
        tracking=tuple(
            _tracking(each["TargetTrackingScalingPolicyConfiguration"])
            for each in policies.values()
            if each["PolicyType"] == "TargetTrackingScaling"
        ),
        stepping=tuple(
            _stepping(each["StepScalingPolicyConfiguration"], alarm)
            for key, each in policies.items()
            if each["PolicyType"] == "StepScaling"
            for alarm in _alarms_of(key, resources)
        ),
    )


def _tracking(properties: Mapping[str, Any]) -> Tracking:
    metric, target = properties["CustomizedMetricSpecification"]["MetricName"], properties["TargetValue"]
    high = ("GreaterThanThreshold", target, HIGH_PERIODS)
    low = ("LessThanThreshold", LOW * target, LOW_PERIODS)
    high_alarm, low_alarm = (
        Alarm(metric=metric, comparison=how, threshold=threshold, periods=periods, wanted=periods)
        for how, threshold, periods in (high, low)
    )
    return Tracking(
        target=target,
        high=high_alarm,
        low=low_alarm,
        out_cooldown_s=properties.get("ScaleOutCooldown", DEFAULT_COOLDOWN_S),
        in_cooldown_s=properties.get("ScaleInCooldown", DEFAULT_COOLDOWN_S),
    )


def _stepping(properties: Mapping[str, Any], alarm: Alarm) -> Stepping:
    assert properties["AdjustmentType"] == "ChangeInCapacity"
    steps = (
        Step(
            lower=each.get("MetricIntervalLowerBound", float("-inf")),
            upper=each.get("MetricIntervalUpperBound", float("inf")),
            change=each["ScalingAdjustment"],
        )
        for each in properties["StepAdjustments"]
    )
    return Stepping(
        alarm=alarm, steps=tuple(steps), cooldown_s=properties.get("Cooldown", DEFAULT_COOLDOWN_S)
    )


def _alarms_of(policy: str, resources: Mapping[str, Any]) -> Iterator[Alarm]:
    for each in resources.values():
        if each["Type"] == ALARM and {"Ref": policy} in each["Properties"].get("AlarmActions", ()):
            yield Alarm.of(each["Properties"])
