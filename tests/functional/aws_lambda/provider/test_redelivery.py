"""Dead letters that go back, and objects that are told of once more."""

import json
from typing import TYPE_CHECKING

import pytest
from tests.fakes.lambda_control import BUCKET

from preheat.runtime.objects.events import read_event
from preheat_providers._aws.listing import listed
from preheat_providers._aws.queues import Message, received, send
from preheat_providers._aws.session import Session
from preheat_providers.aws_lambda.redelivery.backfilling import message_of
from preheat_providers.aws_lambda.redelivery.replaying import move, replay_queue
from preheat_providers.aws_lambda.shipped.settings import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

KEYS = ["in/a b+c%.png", "in/größe.png", f"in/{'x' * 1000}", "other/d.png"]
KIND = {"content-type": {"DataType": "String", "StringValue": "image/png"}}


@pytest.fixture
def sqs(session: Session) -> "SQSClient":
    return session.client("sqs")


def bodies(sqs: "SQSClient", url: str) -> set[str]:
    found: set[str] = set()
    while messages := received(sqs, url):
        found |= {each["Body"] for each in messages}
    return found


def left(sqs: "SQSClient", url: str) -> int:
    """Return how many messages a queue has, hidden ones too."""
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    visible, hidden = found["ApproximateNumberOfMessages"], found["ApproximateNumberOfMessagesNotVisible"]
    return int(visible) + int(hidden)


def queue(sqs: "SQSClient", name: str, **attributes: str) -> str:
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]


def test_every_dead_letter_goes_back_as_it_was(sqs: "SQSClient") -> None:
    dead, source = queue(sqs, "dead"), queue(sqs, "source")
    for number in range(3):
        send(sqs, dead, [Message(f"{number}-{each}", KIND) for each in range(8)])
    assert move(sqs, dead, source) == 24
    assert left(sqs, dead) == 0
    (first, *_) = received(sqs, source)
    assert first["MessageAttributes"]["content-type"]["StringValue"] == "image/png"
    assert len(bodies(sqs, source)) == 24 - 10


def test_nothing_dead_is_nothing_moved(sqs: "SQSClient") -> None:
    assert move(sqs, queue(sqs, "dead"), queue(sqs, "source")) == 0


def test_a_queue_that_was_there_before_gets_back_what_it_gave_up(sqs: "SQSClient") -> None:
    dead = queue(sqs, "dead")
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    source = queue(sqs, "work", RedrivePolicy=policy)
    send(sqs, dead, [Message("x")])
    assert replay_queue(sqs, "work") == 1
    assert bodies(sqs, source) == {"x"}


def test_a_queue_that_keeps_order_gets_its_groups_back_in_theirs(sqs: "SQSClient") -> None:
    dead = queue(sqs, "dead.fifo", FifoQueue="true")
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    source = queue(sqs, "work.fifo", FifoQueue="true", RedrivePolicy=policy)
    for number in range(6):
        send(sqs, dead, [Message("the same", {}, group=f"user-{number % 2}", id=f"dead-{number}")])
    assert replay_queue(sqs, "work.fifo") == 6, "equal bodies are messages of their own"
    assert left(sqs, dead) == 0
    groups = [each["Attributes"]["MessageGroupId"] for each in received(sqs, source)]
    assert sorted(groups) == ["user-0"] * 3 + ["user-1"] * 3


def test_a_group_of_a_queue_without_order_goes_back_with_its_message(sqs: "SQSClient") -> None:
    """Fair queues: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html"""
    dead, source = queue(sqs, "dead"), queue(sqs, "source")
    sqs.send_message(QueueUrl=dead, MessageBody="x", MessageGroupId="tenant")
    assert move(sqs, dead, source) == 1
    (message,) = received(sqs, source)
    assert message["Attributes"]["MessageGroupId"] == "tenant"


def test_a_queue_that_keeps_no_dead_letters_has_none(sqs: "SQSClient") -> None:
    queue(sqs, "work")
    assert replay_queue(sqs, "work") == 0


def test_an_object_is_told_of_as_s3_does(s3: "S3Client") -> None:
    for key in [*KEYS, "in/folder/"]:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"12345")
    trigger = Upload(name="scans", bucket=BUCKET, prefix="in/", output="results/")
    found = list(listed(s3, BUCKET, "in/"))
    assert sorted(record.key for record in found) == sorted(KEYS[:3])
    for record in found:
        event = json.loads(message_of(record, trigger, "eu-central-1").body)
        (entry,) = event["Records"]
        assert entry["awsRegion"] == "eu-central-1"
        assert (entry["s3"]["bucket"]["name"], entry["s3"]["object"]["size"]) == (BUCKET, 5)
        assert read_event(event) == (record,)
    encoded = [
        json.loads(message_of(each, trigger, "x").body)["Records"][0]["s3"]["object"]["key"] for each in found
    ]
    assert "in/a+b%2Bc%25.png" in encoded
