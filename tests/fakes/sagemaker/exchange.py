"""One request to a container: its input from S3, POST /invocations, and what becomes of the answer."""

import http.client
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from tests.fakes.sagemaker.invocation import LARGEST_BYTES, Invocation, bucket_and_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PING_S = 2.0
BETWEEN_PINGS_S = 0.02
LONGEST_HEAD = 4096
"""aws/deep-learning-containers issue 4668: "headers with length greater than 4096 bytes"."""


class Failed(Exception):
    """A request that ended without a good answer; `body` is what the container said, if it said anything."""

    def __init__(self, reason: str, body: bytes | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.body = reason.encode() if body is None else body


@dataclass(frozen=True)
class Answered:
    """A good answer."""

    content_type: str
    body: bytes


def well(container: str) -> bool:
    """Return whether the container at this address passes a health check."""
    connection = http.client.HTTPConnection(urlsplit(container).netloc, timeout=PING_S)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def until_well(container: str, ended: threading.Event) -> bool:
    """Wait for the container at this address; return False where it has `ended` before."""
    while not well(container):
        if ended.wait(BETWEEN_PINGS_S):
            return False
    return True


def read_input(s3: "S3Client", asked: Invocation) -> bytes:
    """Return what `asked` brings. Raises Failed for an object that is not there, or too large."""
    if asked.body is not None:
        return asked.body
    bucket, key = bucket_and_key(asked.input or "")
    try:
        size = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
        if size > LARGEST_BYTES:
            raise Failed(f"ClientError: The request has {size} bytes; the limit is {LARGEST_BYTES}.")
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        raise Failed(f"ClientError: {asked.input} could not be downloaded: {error}") from error


def ask(container: str, asked: Invocation, body: bytes) -> Answered:
    """Return the container's answer. Raises Failed for what SageMaker takes for a failure."""
    connection = http.client.HTTPConnection(urlsplit(container).netloc, timeout=asked.timeout_s)
    try:
        connection.request("POST", "/invocations", body, asked.headers())
        answer = connection.getresponse()
        if len(str(answer.headers)) > LONGEST_HEAD:
            raise Failed(
                "ClientError: Response received from the primary container has headers with length greater "
                f"than {LONGEST_HEAD} bytes. Reduce the length of your container's response headers."
            )
        if answer.getheader("content-length") is None:
            raise Failed(
                "ClientError: The response from container primary did not specify the required "
                "Content-Length header"
            )
        said = answer.read()
    except TimeoutError as error:
        raise Failed(
            "ClientError: Your invocation timed out while waiting for a response from container primary."
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"InternalServerException: The container broke off: {error!r}") from error
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        side = "client" if answer.status < 500 else "server"
        raise Failed(
            f"ClientError: Received {side} error ({answer.status}) from primary. See the SageMaker Endpoint "
            "logs in your account for more information.",
            said,
        )
    return Answered(answer.getheader("content-type", ""), said)
