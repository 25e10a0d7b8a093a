"""Uploads: EventBridge tells a queue of each new object, and the queue calls the function.

The bucket belongs to somebody else. All that it must do is to send its events to EventBridge.
"""

from typing import Any

from preheat.project.model import ObjectCreated
from preheat_providers.aws_lambda.template.intrinsics import Json, Resources, att, policy, resource
from preheat_providers.aws_lambda.template.keys import key_matchers
from preheat_providers.aws_lambda.template.names import logical_id
from preheat_providers.aws_lambda.template.queues import event_source
from preheat_providers.aws_lambda.template.wanted import Wanted

DEAD_LETTERS_KEPT_S = 14 * 24 * 3600
VISIBILITY_TIMEOUTS = 6
"""How many time-outs of the function a message stays hidden, as
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html advises."""


def upload_resources(wanted: Wanted) -> Resources:
    """Return for each trigger its rule, its queue with the dead letters, and what reads the queue."""
    resources: Resources = {}
    for upload in wanted.uploads:
        resources |= _resources(upload, wanted)
    return resources


def queue_id(upload: ObjectCreated) -> str:
    """Return the logical id of the queue of a trigger."""
    return logical_id("UploadQueue", upload.name)


def dead_letters_id(upload: ObjectCreated) -> str:
    """Return the logical id of the queue that keeps what failed."""
    return logical_id("UploadDeadLetters", upload.name)


def dead_letters() -> Json:
    """Return a queue that keeps messages for as long as SQS does."""
    return resource(
        "AWS::SQS::Queue", {"MessageRetentionPeriod": DEAD_LETTERS_KEPT_S, "SqsManagedSseEnabled": True}
    )


def _resources(upload: ObjectCreated, wanted: Wanted) -> Resources:
    queue, dead, rule = queue_id(upload), dead_letters_id(upload), logical_id("UploadRule", upload.name)
    return {
        dead: dead_letters(),
        queue: resource(
            "AWS::SQS::Queue",
            {
                "SqsManagedSseEnabled": True,
                "VisibilityTimeout": VISIBILITY_TIMEOUTS * wanted.timeout_s,
                "RedrivePolicy": {"deadLetterTargetArn": att(dead), "maxReceiveCount": upload.attempts},
            },
        ),
        rule: resource(
            "AWS::Events::Rule",
            {"EventPattern": event_pattern(upload), "Targets": [{"Id": "queue", "Arn": att(queue)}]},
        ),
        logical_id("UploadPolicy", upload.name): resource(
            "AWS::SQS::QueuePolicy",
            {"Queues": [{"Ref": queue}], "PolicyDocument": policy(_sending(queue, rule))},
        ),
        logical_id("UploadSource", upload.name): event_source(att(queue), wanted),
    }


def event_pattern(upload: ObjectCreated) -> Json:
    """Return which events the trigger wants.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    detail: dict[str, Any] = {"bucket": {"name": [upload.bucket]}}
    if matchers := key_matchers(upload.prefix, upload.suffix):
        detail["object"] = {"key": matchers}
    return {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}


def _sending(queue: str, rule: str) -> Json:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": att(queue),
        "Condition": {"ArnEquals": {"aws:SourceArn": att(rule)}},
    }
