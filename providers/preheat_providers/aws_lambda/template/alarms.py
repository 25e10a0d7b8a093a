"""Alarms: the function fails, is held back, or has given something up."""

from preheat_providers._aws.templates.alarms import above_zero
from preheat_providers._aws.templates.intrinsics import Json, Resources, att, ref
from preheat_providers.aws_lambda.template.names import ALIAS, logical_id
from preheat_providers.aws_lambda.template.uploads import dead_letters_id
from preheat_providers.aws_lambda.template.wanted import Wanted

NAMESPACE, FAILURES = "Preheat", "Failures"
"""What `shipped/events/report.py`, which is not imported for its SDKs, counts of each attempt that fails."""


def alarm_resources(wanted: Wanted) -> Resources:
    """Return an alarm for errors, throttles, answers of 5xx, failed deliveries, and dead letters."""
    alarms = {
        "ErrorAlarm": _function_alarm("Errors", wanted),
        "ThrottleAlarm": _function_alarm("Throttles", wanted),
        "FailedAnswerAlarm": _answer_alarm(wanted),
    }
    if wanted.uploads or wanted.queues:
        alarms["FailedDeliveryAlarm"] = _delivery_alarm(wanted)
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


def _answer_alarm(wanted: Wanted) -> Json:
    """Return the alarm on what callers of the endpoint get: to Lambda, a problem document is no error.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html and
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
    """
    if wanted.options.endpoint == "url":
        return _function_alarm("Url5xxCount", wanted)
    return above_zero(
        f"{wanted.function}-5xx",
        "AWS/ApiGateway",
        "5xx",
        statistic="Sum",
        dimensions={"ApiId": ref("Api")},
        topic=wanted.options.alarm_topic,
    )


def _delivery_alarm(wanted: Wanted) -> Json:
    """Return the alarm on uploads and messages that fail: to Lambda, a partial batch response is no error.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html, read on 2026-11-21
    """
    dimensions = {"service": wanted.project.name, "stage": wanted.project.stage}
    topic = wanted.options.alarm_topic
    name = f"{wanted.function}-failed-deliveries"
    return above_zero(name, NAMESPACE, FAILURES, statistic="Sum", dimensions=dimensions, topic=topic)


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
