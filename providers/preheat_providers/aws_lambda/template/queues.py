"""What reads queues and calls the function: those of uploads, and those that exist already."""

from preheat.project.model import QueueTrigger
from preheat_providers._aws.templates.intrinsics import Json, Resources, local_arn, ref, resource
from preheat_providers.aws_lambda.limits import queue_concurrency
from preheat_providers.aws_lambda.template.names import logical_id
from preheat_providers.aws_lambda.template.wanted import Wanted

BATCH = 1
"""One message a call: in a batch, those behind a slow one would run out of time, and each such failure
counts as an attempt. A call costs far less than what it computes."""


def queue_resources(wanted: Wanted) -> Resources:
    """Return what reads the queues that exist already."""
    return {
        logical_id("QueueSource", trigger.name): event_source(queue_arn(trigger), wanted)
        for trigger in wanted.queues
    }


def event_source(queue: Json, wanted: Wanted) -> Json:
    """Return what reads `queue` and calls at most `scaling.max` functions at once."""
    return resource(
        "AWS::Lambda::EventSourceMapping",
        {
            "EventSourceArn": queue,
            "FunctionName": ref("Alias"),
            "BatchSize": BATCH,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": queue_concurrency(wanted.project, wanted.options)},
        },
    )


def queue_arn(trigger: QueueTrigger) -> Json:
    """Return the ARN of a queue in the function's own account and region."""
    return local_arn("sqs", trigger.queue)
