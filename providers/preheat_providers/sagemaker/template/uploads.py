"""Uploads: EventBridge tells a small function of each new object, which has the endpoint read it in place.

Results land in the bucket of jobs, because an endpoint has one place for them; the same function then takes
them to where the trigger wants them. The buckets belong to somebody else. All that they must do is to send
their events to EventBridge.
"""

from collections.abc import Iterator
from typing import Any

from preheat.project.model import ObjectCreated
from preheat_providers._aws.templates.alarms import above_zero
from preheat_providers._aws.templates.intrinsics import (
    Json,
    Resources,
    allow,
    att,
    policy,
    ref,
    resource,
)
from preheat_providers._aws.templates.queues import dead_letters
from preheat_providers._aws.templates.uploads import event_pattern, readable_objects, written_objects
from preheat_providers._aws.templates.urls import permission
from preheat_providers.sagemaker.template.front import (
    UPLOADS_S,
    call_statement,
    function_resources,
    key_statements,
    listing,
)
from preheat_providers.sagemaker.template.names import FAILURES, INPUTS, OUTPUTS, RECORDS, logical_id
from preheat_providers.sagemaker.template.storage import bucket_name, folder_arn
from preheat_providers.sagemaker.template.wanted import Wanted

FUNCTION, LOST, RESULT_RULE = "Uploads", "LostUploads", "UploadResults"
SERVICE = "events.amazonaws.com"
MOST_ATTEMPTS = 3
"""Lambda tries what it is given for later twice more at most:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""


def upload_resources(wanted: Wanted) -> Resources:
    """Return the function, what calls it, and what keeps the events that it failed on for good."""
    if not wanted.uploads or not wanted.is_async:
        return {}
    rules = {rule_id(upload): _rule(event_pattern(upload)) for upload in wanted.uploads}
    rules[RESULT_RULE] = _rule(_results_pattern(wanted))
    calls = {
        f"{rule}Call": permission(FUNCTION, "lambda:InvokeFunction", SERVICE, SourceArn=att(rule))
        for rule in rules
    }
    return {
        **function_resources(FUNCTION, "uploads", wanted, *_statements(wanted), timeout_s=UPLOADS_S),
        LOST: dead_letters(),
        "LostUploadsPolicy": _lost_policy(list(rules)),
        "UploadRetries": _retries(wanted),
        "LostUploadsAlarm": _alarm(wanted),
        **rules,
        **calls,
    }


def rule_id(upload: ObjectCreated) -> str:
    """Return the logical id of the rule of a trigger."""
    return logical_id("UploadRule", upload.name)


def _rule(pattern: Json) -> Json:
    target = {"Id": "function", "Arn": att(FUNCTION), "DeadLetterConfig": {"Arn": att(LOST)}}
    return resource("AWS::Events::Rule", {"EventPattern": pattern, "Targets": [target]})


def _results_pattern(wanted: Wanted) -> Json:
    # Those of jobs too: how far S3OutputPathExtension could part them is not documented for failures.
    prefixes = [{"prefix": f"{wanted.prefix}{folder}"} for folder in (OUTPUTS, FAILURES)]
    detail: dict[str, Any] = {"bucket": {"name": [bucket_name(wanted)]}, "object": {"key": prefixes}}
    return {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}


def _statements(wanted: Wanted) -> Iterator[Json]:
    yield call_statement(wanted)
    yield allow("Records", ["s3:GetObject", "s3:PutObject"], [folder_arn(wanted, RECORDS)])
    results = [folder_arn(wanted, OUTPUTS), folder_arn(wanted, FAILURES)]
    yield allow("Results", ["s3:GetObject"], results)
    # Objects whose keys no header takes are copied here first.
    yield allow("Copied", ["s3:PutObject", "s3:AbortMultipartUpload"], [folder_arn(wanted, INPUTS)])
    yield listing(wanted)
    yield allow("Uploads", ["s3:GetObject"], readable_objects(wanted.uploads))
    written = written_objects(wanted.uploads)
    yield allow("Delivered", ["s3:PutObject", "s3:AbortMultipartUpload"], written)
    yield allow("Lost", ["sqs:SendMessage"], [att(LOST)])
    yield from key_statements(wanted)


def _retries(wanted: Wanted) -> Json:
    attempts = max(upload.attempts for upload in wanted.uploads)
    return resource(
        "AWS::Lambda::EventInvokeConfig",
        {
            "FunctionName": ref(FUNCTION),
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": min(attempts, MOST_ATTEMPTS) - 1,
            "DestinationConfig": {"OnFailure": {"Destination": att(LOST)}},
        },
    )


def _lost_policy(rules: list[str]) -> Json:
    sending = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": "sqs:SendMessage",
        "Resource": att(LOST),
        "Condition": {"ArnEquals": {"aws:SourceArn": [att(rule) for rule in rules]}},
    }
    return resource("AWS::SQS::QueuePolicy", {"Queues": [ref(LOST)], "PolicyDocument": policy(sending)})


def _alarm(wanted: Wanted) -> Json:
    return above_zero(
        f"{wanted.endpoint}-endpoint-lost-uploads",
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        statistic="Maximum",
        dimensions={"QueueName": att(LOST, "QueueName")},
        topic=wanted.options.alarm_topic,
    )
