"""Clients of S3 and SQS, and what their errors mean. Only this module imports boto3, and only when asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from preheat.errors import BadInput, NotFound, ProviderError, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

REGION = "us-east-1"
"""Where neither the environment nor the AWS configuration names one; S3-like servers ignore it."""
GONE = frozenset(("404", "NoSuchKey", "NoSuchVersion"))
REFUSED = frozenset(("400", "403", "AccessDenied", "KeyTooLongError", "NoSuchBucket", "InvalidAccessKeyId"))


def s3_client(endpoint: str | None) -> "S3Client":
    """Return a client of an S3 endpoint; None is AWS itself. Raises ProviderError without boto3."""
    session, config = _session()
    region = session.region_name or REGION
    client: S3Client = session.client("s3", endpoint_url=endpoint, region_name=region, config=config)
    return client


def sqs_client(queue_url: str) -> "SQSClient":
    """Return a client of the server that a queue's URL names. Raises ProviderError without boto3."""
    session, config = _session()
    parts = urlsplit(queue_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    region = session.region_name or REGION
    client: SQSClient = session.client("sqs", endpoint_url=origin, region_name=region, config=config)
    return client


@contextmanager
def calling(what: str, name: str) -> Iterator[None]:
    """Turn what botocore raises into our errors; `what` says what could not be done to `name`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in GONE:
            raise NotFound(f"The object {name!r} was deleted before it was read.") from error
        kind = BadInput if code in REFUSED else Unavailable
        raise kind(f"{name!r} cannot be {what}: the endpoint answered {code}.") from error
    except BotoCoreError as error:
        raise Unavailable(f"{name!r} cannot be {what}: {error}") from error


def _session() -> tuple[Any, Any]:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise ProviderError(
            "A bucket is given as s3://..., which needs boto3, and boto3 is not installed.",
            hint="pip install 'preheat[aws]'",
        ) from error
    config = Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "max_attempts": 3},
        s3={"addressing_style": "path"},
    )
    return boto3.Session(), config
