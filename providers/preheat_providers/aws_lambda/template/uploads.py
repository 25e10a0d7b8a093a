"""Uploads: EventBridge tells a queue of each new object, and the queue calls the function.

The bucket belongs to somebody else. All that it must do is to send its events to EventBridge.
"""

from preheat.project.model import ObjectCreated
from preheat_providers._aws.templates.intrinsics import Resources, att, policy, resource
from preheat_providers._aws.templates.queues import dead_letters, sending
from preheat_providers._aws.templates.uploads import event_pattern
from preheat_providers.aws_lambda.template.names import logical_id
from preheat_providers.aws_lambda.template.queues import event_source
from preheat_providers.aws_lambda.template.wanted import Wanted

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
            {"Queues": [{"Ref": queue}], "PolicyDocument": policy(sending(queue, rule))},
        ),
        logical_id("UploadSource", upload.name): event_source(att(queue), wanted),
    }
