"""Queues of the stack's own, and who may send to them."""

from preheat_providers._aws.templates.intrinsics import Json, att, resource

DEAD_LETTERS_KEPT_S = 14 * 24 * 3600


def dead_letters() -> Json:
    """Return a queue that keeps messages for as long as SQS does."""
    return resource(
        "AWS::SQS::Queue", {"MessageRetentionPeriod": DEAD_LETTERS_KEPT_S, "SqsManagedSseEnabled": True}
    )


def sending(queue: str, rule: str) -> Json:
    """Return the statement that lets the rule, and no other, send to the queue; both are logical ids."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": att(queue),
        "Condition": {"ArnEquals": {"aws:SourceArn": att(rule)}},
    }
