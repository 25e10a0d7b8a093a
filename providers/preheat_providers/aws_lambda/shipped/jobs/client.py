"""The services that keep and run jobs, and what it means when one of them refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from preheat.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client

UNMET = "ConditionalCheckFailedException"
GONE = frozenset({"404", "NoSuchKey", "403", "AccessDenied"})
"""What S3 answers for an object that is not there; it is 403 without s3:ListBucket:
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, read on 2026-11-21."""


@dataclass(frozen=True, slots=True)
class Clients:
    """boto3's own."""

    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    calls: "LambdaClient"


class Unmet(Exception):
    """The item is not as the condition says."""


@contextmanager
def asking(done: str) -> Iterator[None]:
    """Turn what botocore raises into Unmet, NotFound and Unavailable; `done` says what could not be done."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code == UNMET:
            raise Unmet from error
        if code in GONE and error.operation_name == "GetObject":
            raise NotFound(f"The job cannot be {done}: what the bucket kept of it is gone.") from error
        raise Unavailable(f"The job cannot be {done}: {error.operation_name} answered {code}.") from error
    except BotoCoreError as error:
        raise Unavailable(f"The job cannot be {done}: {error}") from error
