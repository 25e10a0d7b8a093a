"""CloudWatch alarms over one-minute data points, as far as scaling needs them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html, read on 2026-11-21.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any

PERIOD_S = 60

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": ge,
    "GreaterThanThreshold": gt,
    "LessThanOrEqualToThreshold": le,
    "LessThanThreshold": lt,
}


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm on `metric`: `wanted` of the last `periods` points compare so with `threshold`."""

    metric: str
    comparison: str
    threshold: float
    periods: int
    wanted: int

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> "Alarm":
        """Read the properties of an `AWS::CloudWatch::Alarm`."""
        assert properties["Period"] == PERIOD_S, "SageMaker publishes its metrics once a minute"
        assert properties.get("TreatMissingData", "missing") == "missing"
        return cls(
            metric=properties["MetricName"],
            comparison=properties["ComparisonOperator"],
            threshold=properties["Threshold"],
            periods=properties["EvaluationPeriods"],
            wanted=properties.get("DatapointsToAlarm", properties["EvaluationPeriods"]),
        )

    def rings(self, points: Sequence[float | None]) -> bool:
        """Return whether it is in ALARM after `points`, the newest of which is the last; None is missing."""
        breaches = _COMPARISONS[self.comparison]
        known = [point for point in points[-self.periods :] if point is not None]
        return sum(breaches(point, self.threshold) for point in known) >= self.wanted
