"""Objects in S3, read within limits and written whole. Imports the AWS SDK when an object is asked for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from preheat.errors import BadInput, BodyTooLarge, NotFound, PreheatError, Unavailable
from preheat.runtime.objects.events import ObjectRecord

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client

LONGEST_KEY = 1024
"""In bytes of UTF-8 (S3 user guide, "Naming Amazon S3 objects")."""


GONE = frozenset({"404", "NoSuchKey", "NoSuchVersion"})
CHANGED = frozenset({"412", "PreconditionFailed"})
REFUSED = frozenset({"400", "403", "AccessDenied", "KeyTooLongError", "NoSuchBucket", "InvalidAccessKeyId"})

DENIED = re.compile(
    r'not authorized to perform: (?P<action>[\w-]+:\w+)(?: on resource: "?(?P<on>arn:[^\s"]+))?'
)
"""What AWS says of a denial, of a key of KMS as well as of the object; nothing to a HEAD:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""


class Changed(Exception):
    """The object's eTag is another one."""


class Superseded(PreheatError):
    """The object has a newer content, which is a delivery of its own, or its version was deleted."""

    def __init__(self, record: ObjectRecord) -> None:
        super().__init__(
            f"The object {record.key!r} has changed or was deleted; a new content is another delivery."
        )


class Storage(Protocol):
    """Where objects are. Its errors are RequestErrors: 4xx for what no retry mends, Unavailable otherwise."""

    def read(self, record: ObjectRecord, limit: int) -> bytes:
        """Return the object's bytes. Raises Superseded, NotFound, BodyTooLarge, Unavailable."""
        ...

    def current(self, record: ObjectRecord) -> bool:
        """Say whether the key holds nothing newer than `record`.

        A key that holds nothing is newer where the bucket keeps versions: newer ones may lie below the
        deletion. Elsewhere it is not: whoever deletes an object still gets the result of it.
        """
        ...

    def write(self, bucket: str, key: str, body: bytes, media_type: str) -> None:
        """Put an object, whole or not at all. Raises BadInput, Unavailable."""
        ...


class S3Storage:
    """Every bucket that the client may use."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def read(self, record: ObjectRecord, limit: int) -> bytes:
        """Return the bytes of the record's version, or of the key if it still has the record's eTag."""
        check_size(record, record.size, limit)
        try:
            with calling("read", record.bucket, record.key):
                if record.version_id is None:
                    answer = self._client.get_object(
                        Bucket=record.bucket, Key=record.key, IfMatch=f'"{record.etag}"'
                    )
                else:
                    answer = self._client.get_object(
                        Bucket=record.bucket, Key=record.key, VersionId=record.version_id
                    )
                with answer["Body"] as stream:
                    check_size(record, answer["ContentLength"], limit)
                    return stream.read()
        except Changed as error:
            raise Superseded(record) from error

    def current(self, record: ObjectRecord) -> bool:
        """Ask for the key's newest eTag and version."""
        try:
            with calling("read", record.bucket, record.key):
                head = self._client.head_object(Bucket=record.bucket, Key=record.key)
        except NotFound:
            return record.version_id is None
        if record.version_id is not None:
            return head.get("VersionId", record.version_id) == record.version_id
        return head["ETag"].strip('"') == record.etag

    def write(self, bucket: str, key: str, body: bytes, media_type: str) -> None:
        """Put the object; S3 shows it whole or not at all."""
        if (length := len(key.encode())) > LONGEST_KEY:
            raise BadInput(
                f"The result's key has {length} bytes, and S3 takes {LONGEST_KEY}. Shorten the upload's."
            )
        with calling("written", bucket, key):
            self._client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=media_type)


def check_size(record: ObjectRecord, size: int, limit: int) -> None:
    """Raise BodyTooLarge for an object above `limit`."""
    if size > limit:
        raise BodyTooLarge(f"The object {record.key!r} has {size} bytes; the limit is {limit}.")


@contextmanager
def calling(done: str, bucket: str, key: str) -> Iterator[None]:
    """Turn what botocore raises into Changed and our own errors; `done` says what could not be done."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in CHANGED:
            raise Changed from error
        if code in GONE:
            raise NotFound(f"The object {key!r} was deleted before it was read.") from error
        kind = BadInput if code in REFUSED else Unavailable
        advice = _advice(error, done, bucket) if code in ("403", "AccessDenied") else ""
        raise kind(f"s3://{bucket}/{key} cannot be {done}: S3 answered {code}.{advice}") from error
    except BotoCoreError as error:
        raise Unavailable(f"s3://{bucket}/{key} cannot be {done}: {error}") from error


def _advice(error: "ClientError", done: str, bucket: str) -> str:
    """Return what to allow: the action that AWS names, or else that of the call."""
    action, on = "s3:GetObject" if done == "read" else "s3:PutObject", None
    if denied := DENIED.search(error.response["Error"].get("Message", "")):
        action, on = denied["action"], denied["on"]
    if on is None or f":::{bucket}/" in on:
        on = f"arn:aws:s3:::{bucket}/*"
    return f" Allow {action} on {on}."
