"""Queues that a test reads by long polling, which is how it waits for what happens in the account."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

from tests.fakes.aws.cloud import Cloud

LONGEST_S = 20


class Mailbox:
    """A queue at `url`."""

    def __init__(self, cloud: Cloud, url: str) -> None:
        self.url = url
        self._client = cloud.client("sqs")

    @classmethod
    def of_bucket(cls, cloud: Cloud, bucket: str) -> "Mailbox":
        """Return a queue that hears of every object that is put into `bucket` from now on."""
        client = cloud.client("sqs")
        url = client.create_queue(QueueName=f"of-{bucket}")["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allow_service(cloud, url, arn, "s3.amazonaws.com")
        cloud.client("s3").put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={
                "QueueConfigurations": [{"Id": "test", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]
            },
        )
        return cls(cloud, url)

    def bodies(self) -> Iterator[Any]:
        """Yield each message as it comes, removing it. Raises AssertionError when none comes any more."""
        while True:
            got = self._client.receive_message(QueueUrl=self.url, WaitTimeSeconds=LONGEST_S)
            assert got.get("Messages"), f"nothing came to {self.url}"
            for message in got["Messages"]:
                self._client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                yield json.loads(message["Body"])

    def keys(self, wanted: set[str]) -> None:
        """Wait until an object has been put under each of the keys `wanted`."""
        missing = set(wanted)
        for body in self.bodies():
            missing -= {unquote_plus(record["s3"]["object"]["key"]) for record in body.get("Records", ())}
            if not missing:
                return


def allow_service(cloud: Cloud, url: str, arn: str, service: str) -> None:
    """Let a service of AWS send to a queue."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
