"""A queue over DynamoDB and S3 of the test's own; its calls wait in a list, and its clock stands still."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError

from preheat_providers.aws_lambda.shipped.jobs.client import Clients
from preheat_providers.aws_lambda.shipped.jobs.queue import JobQueue

TABLE, BUCKET = "records", "jobs"


@dataclass
class Calling:
    """The client of Lambda."""

    made: list[dict[str, Any]] = field(default_factory=list)
    refused: bool = False

    def invoke(self, **asked: Any) -> None:
        if self.refused:
            raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")
        self.made.append(asked)


@dataclass
class Queued:
    """What a test holds: the queue, and what is around it."""

    queue: JobQueue
    calls: Calling
    clients: Clients
    now: float = 1_800_000_000.5

    def objects(self) -> list[str]:
        """Return what the bucket holds."""
        return [each["Key"] for each in self.clients.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def items(self) -> int:
        """Return how many items the table holds."""
        return self.clients.dynamodb.scan(TableName=TABLE)["Count"]


@pytest.fixture
def queued(s3_endpoint: str) -> Iterator[Queued]:
    calls = Calling()
    clients = Clients(boto3.client("dynamodb"), boto3.client("s3"), cast("Any", calls))
    clients.s3.create_bucket(Bucket=BUCKET)
    clients.dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    queue = JobQueue(clients, table=TABLE, bucket=BUCKET, function="f:live", clock=lambda: held.now)
    held = Queued(queue, calls, clients)
    yield held
    clients.dynamodb.close()
    clients.s3.close()
