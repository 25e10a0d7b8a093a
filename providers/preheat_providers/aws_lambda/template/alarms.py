"""Alarms: the function fails, is held back, or has given something up."""

from preheat_providers._aws.templates.alarms import above_zero
from preheat_providers._aws.templates.intrinsics import Json, Resources, att
from preheat_providers.aws_lambda.template.names import ALIAS, logical_id
from preheat_providers.aws_lambda.template.uploads import dead_letters_id
from preheat_providers.aws_lambda.template.wanted import Wanted


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
    topic = wanted.options.alarm_topic
    return above_zero(name, "AWS/Lambda", metric, statistic="Sum", dimensions=dimensions, topic=topic)


def _queue_alarm(name: str, queue: str, wanted: Wanted) -> Json:
    dimensions = {"QueueName": att(queue, "QueueName")}
    return above_zero(
        name,
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        statistic="Maximum",
        dimensions=dimensions,
        topic=wanted.options.alarm_topic,
    )
