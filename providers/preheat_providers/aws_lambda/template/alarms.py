"""Alarms: the function fails, is held back, or has given something up."""

from preheat_providers.aws_lambda.template.intrinsics import Json, Resources, att, resource
from preheat_providers.aws_lambda.template.names import ALIAS, logical_id
from preheat_providers.aws_lambda.template.uploads import dead_letters_id
from preheat_providers.aws_lambda.template.wanted import Wanted

PERIOD_S = 60


def alarm_resources(wanted: Wanted) -> Resources:
    """Return an alarm for errors, for throttles, and for each queue of dead letters that is not empty."""
    alarms = {
        "ErrorAlarm": _function_alarm("Errors", wanted),
        "ThrottleAlarm": _function_alarm("Throttles", wanted),
    }
    for upload in wanted.uploads:
        name = f"{wanted.function}-{upload.name}-dead-letters"
        alarms[logical_id("UploadAlarm", upload.name)] = _queue_alarm(name, dead_letters_id(upload), wanted)
    if wanted.has_unattended_calls:
        name = f"{wanted.function}-failed-calls"
        alarms["FailedCallAlarm"] = _queue_alarm(name, "FailedCalls", wanted)
    return alarms


def _function_alarm(metric: str, wanted: Wanted) -> Json:
    """Return the alarm on a metric of the alias.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
    """
    dimensions = {"FunctionName": wanted.function, "Resource": f"{wanted.function}:{ALIAS}"}
    name = f"{wanted.function}-{metric.lower()}"
    return _alarm(name, "AWS/Lambda", metric, "Sum", dimensions, wanted)


def _queue_alarm(name: str, queue: str, wanted: Wanted) -> Json:
    dimensions = {"QueueName": att(queue, "QueueName")}
    return _alarm(name, "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", dimensions, wanted)


def _alarm(name: str, namespace: str, metric: str, statistic: str, dimensions: Json, wanted: Wanted) -> Json:
    topic = wanted.options.alarm_topic
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
