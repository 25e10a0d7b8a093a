"""Dead letters back to their queues, and asynchronous calls that failed for good, made again."""

import json
from typing import TYPE_CHECKING

from preheat_providers._aws.errors import translated
from preheat_providers._aws.queues import Message, queue_urls, received, remove, send
from preheat_providers.aws_lambda.operating.anatomy import (
    FAILED_CALLS,
    dead_letter_queues,
    keeps_failed_calls,
)
from preheat_providers.aws_lambda.place import Place
from preheat_providers.aws_lambda.template.names import ALIAS

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


def replay(place: Place) -> int:
    """Send every dead letter back to where it came from, and return how many. Raises ProviderError."""
    template = place.require().stack.template
    urls = queue_urls(place.session.client("cloudformation"), place.function)
    client = place.session.client("sqs")
    moved = sum(
        move(client, urls[dead], urls[source]) for dead, source in dead_letter_queues(template).items()
    )
    for trigger in place.settings().triggers.queues:
        moved += replay_queue(client, trigger.queue)
    if keeps_failed_calls(template):
        moved += _call_again(client, urls[FAILED_CALLS], place.session.client("lambda"), place.function)
    return moved


def move(client: "SQSClient", dead: str, source: str) -> int:
    """Move what is in the queue `dead` to `source`; what fails again meanwhile stays for the next time."""
    sent: set[str] = set()
    with translated(f"the dead letters in {dead} cannot be moved"):
        while messages := received(client, dead):
            new = [each for each in messages if each["MessageId"] not in sent]
            sent |= send(client, source, [_message(each) for each in new])
            remove(client, dead, new)
            if len(new) < len(messages):
                break
    return len(sent)


def _message(dead: "MessageTypeDef") -> Message:
    group = dead.get("Attributes", {}).get("MessageGroupId")
    return Message(dead["Body"], dead.get("MessageAttributes", {}), group=group, id=dead["MessageId"])


def replay_queue(client: "SQSClient", name: str) -> int:
    """Move the dead letters of a queue that was there before us, if it keeps any."""
    with translated(f"the queue {name} cannot be read"):
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
        policy = json.loads(found.get("Attributes", {}).get("RedrivePolicy", "{}"))
        if not policy:
            return 0
        *_, owner, dead = policy["deadLetterTargetArn"].split(":")
        dead_url = client.get_queue_url(QueueName=dead, QueueOwnerAWSAccountId=owner)["QueueUrl"]
    return move(client, dead_url, url)


def _call_again(client: "SQSClient", url: str, calls: "LambdaClient", function: str) -> int:
    """Make the asynchronous calls again that Lambda gave up; each message holds the event of one.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    made = 0
    with translated(f"the failed calls of {function} cannot be made again"):
        while messages := received(client, url):
            for message in messages:
                event = json.dumps(json.loads(message["Body"])["requestPayload"]).encode()
                calls.invoke(FunctionName=function, Qualifier=ALIAS, InvocationType="Event", Payload=event)
                remove(client, url, [message])
                made += 1
    return made
