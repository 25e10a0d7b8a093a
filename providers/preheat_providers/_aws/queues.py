"""Queues of a stack, and messages in and out of them, ten at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from preheat.errors import ProviderError
from preheat_providers._aws.errors import translated
from preheat_providers._aws.templates.anatomy import QUEUE

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef, SendMessageBatchRequestEntryTypeDef

AT_ONCE = 10
"""How many messages SQS takes or gives at once."""
LOOK_S = 1
"""A look of a second asks every server of a queue: one that is short may find nothing of what is there."""
FIFO = ".fifo"
"""How the name of a queue that keeps order ends."""
HIDDEN_S = 60
"""How long a message that is on its way back is hidden from others who replay."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a message says; `attributes` as SQS has them, `group` its MessageGroupId if it is of one.

    `id` tells a FIFO queue a message that is sent again from a new one; other queues take no such thing.
    """

    body: str
    attributes: dict[str, Any] = field(default_factory=dict)
    group: str | None = None
    id: str | None = None


def queue_urls(client: "CloudFormationClient", stack: str) -> dict[str, str]:
    """Return the URL of each queue of the stack by its logical id. Raises ProviderError."""
    with translated(f"the queues of {stack} cannot be listed"):
        pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for page in pages
            for each in page["StackResourceSummaries"]
            if each["ResourceType"] == QUEUE and "PhysicalResourceId" in each
        }


def received(client: "SQSClient", url: str) -> "list[MessageTypeDef]":
    """Return some messages of a queue, hidden for a while; none when it is empty."""
    answer = client.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=AT_ONCE,
        WaitTimeSeconds=LOOK_S,
        VisibilityTimeout=HIDDEN_S,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["MessageGroupId"],
    )
    return answer.get("Messages", [])


def send(client: "SQSClient", url: str, messages: Sequence[Message]) -> set[str]:
    """Send at most `AT_ONCE` messages; return their ids. Raises ProviderError unless all are taken."""
    if not messages:
        return set()
    with translated(f"the queue {url} takes no messages"):
        answer = client.send_message_batch(
            QueueUrl=url,
            Entries=[_entry(number, each, fifo=url.endswith(FIFO)) for number, each in enumerate(messages)],
        )
    if failed := answer.get("Failed"):
        reasons = ", ".join(sorted({f"{each['Code']}: {each.get('Message', '')}" for each in failed}))
        raise ProviderError(f"The queue {url} did not take {len(failed)} messages: {reasons}.")
    return {each["MessageId"] for each in answer["Successful"]}


def _entry(number: int, message: Message, *, fifo: bool) -> "SendMessageBatchRequestEntryTypeDef":
    entry: SendMessageBatchRequestEntryTypeDef = {
        "Id": str(number),
        "MessageBody": message.body,
        "MessageAttributes": message.attributes,
    }
    if message.group is not None:
        entry["MessageGroupId"] = message.group
    if fifo and message.id is not None:
        entry["MessageDeduplicationId"] = message.id
    return entry


def remove(client: "SQSClient", url: str, messages: "Sequence[MessageTypeDef]") -> None:
    """Remove messages that were received."""
    if messages:
        entries = [
            {"Id": str(number), "ReceiptHandle": each["ReceiptHandle"]}
            for number, each in enumerate(messages)
        ]
        client.delete_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]
