"""Clients of the AWS SDK, and what the errors of S3 mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from preheat.errors import BadInput, NotFound, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client

CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 3})
GONE = frozenset({"404", "NoSuchKey", "NoSuchVersion"})
CHANGED = frozenset({"412", "PreconditionFailed"})
REFUSED = frozenset({"400", "403", "AccessDenied", "KeyTooLongError", "NoSuchBucket", "InvalidAccessKeyId"})


class Changed(Exception):
    """The object's eTag is another one."""


def s3_client() -> "S3Client":
    """Return a client with the function's role."""
    client: S3Client = boto3.client("s3", config=CONFIG)
    return client


def dynamodb_client() -> "DynamoDBClient":
    """Return a client with the function's role."""
    client: DynamoDBClient = boto3.client("dynamodb", config=CONFIG)
    return client


def lambda_client() -> "LambdaClient":
    """Return a client with the function's role."""
    client: LambdaClient = boto3.client("lambda", config=CONFIG)
    return client


@contextmanager
def calling(done: str, bucket: str, key: str) -> Iterator[None]:
    """Turn what botocore raises into Changed and our own errors; `done` says what could not be done."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in CHANGED:
            raise Changed from error
        if code in GONE:
            raise NotFound(f"The object {key!r} was deleted before it was read.") from error
        kind = BadInput if code in REFUSED else Unavailable
        action = "s3:GetObject" if done == "read" else "s3:PutObject"
        advice = f" Allow {action} on arn:aws:s3:::{bucket}/*." if code in ("403", "AccessDenied") else ""
        raise kind(f"s3://{bucket}/{key} cannot be {done}: S3 answered {code}.{advice}") from error
    except BotoCoreError as error:
        raise Unavailable(f"s3://{bucket}/{key} cannot be {done}: {error}") from error
