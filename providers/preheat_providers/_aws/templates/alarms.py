"""An alarm on a metric that should stay at nothing."""

from collections.abc import Mapping
from typing import Any

from preheat_providers._aws.templates.intrinsics import Json, resource

PERIOD_S = 60


def above_zero(
    name: str,
    namespace: str,
    metric: str,
    *,
    statistic: str,
    dimensions: Mapping[str, Any],
    topic: str | None,
) -> Json:
    """Return an alarm that fires in the minute in which the metric is above zero, and tells `topic`."""
    return resource(
        "AWS::CloudWatch::Alarm",
        {
            "AlarmName": name,
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Statistic": statistic,
            "Period": PERIOD_S,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [topic] if topic else None,
        },
    )
