"""Files into a bucket: sent only when missing, never half there.

What is there counts only if S3 says that it has the very checksum of what we would send: S3 computed it
when the object came in, so that one that was cut, swapped or made by another compressor is sent again.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from preheat.errors import ProviderError
from preheat.progress import Amount, Report

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STAGE = "upload"
PART_BYTES = 16 << 20
"""The size of a part, and from where on there are several. An object's checksum depends on it."""

CONNECTIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object as it lies in the bucket; `sent` says whether it had to be uploaded."""

    bucket: str
    key: str
    bytes: int
    sent: bool


def expected_checksum(path: Path, part_bytes: int = PART_BYTES) -> str:
    """Return the SHA-256 that S3 keeps of a file sent in parts of `part_bytes`: of the file or of the parts.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
    """
    digests = [*_part_digests(path, part_bytes)]
    whole = path.stat().st_size < part_bytes
    return b64encode(digests[0] if whole else hashlib.sha256(b"".join(digests)).digest()).decode()


def _part_digests(path: Path, part_bytes: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        part = file.read(part_bytes)
        while True:
            yield hashlib.sha256(part).digest()
            if not (part := file.read(part_bytes)):
                return


@dataclass(frozen=True, slots=True)
class Storing:
    """Puts files into one bucket; every method raises ProviderError."""

    client: "S3Client"
    bucket: str
    report: Report

    def store(self, path: Path, key: str, label: str) -> Stored:
        """Put the file at `path` at `key`, unless it is there."""
        checksum = expected_checksum(path)
        size = path.stat().st_size
        with _translated(self.bucket, key, self.client.meta.region_name):
            sent = self._found(key) != (size, checksum)
            if sent:
                self._send(path, key, label, size)
                found = self._found(key)
                if found != (size, checksum):
                    raise ProviderError(
                        f"s3://{self.bucket}/{key} did not arrive as it was sent: "
                        f"{found} and not {size, checksum}.",
                        hint="Deploy again.",
                    )
        return Stored(bucket=self.bucket, key=key, bytes=size, sent=sent)

    def _found(self, key: str) -> tuple[int, str] | None:
        """Return size and checksum of an object, or None if there is none."""
        from botocore.exceptions import ClientError

        try:
            found = self.client.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as exc:
            if exc.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
                return None
            raise
        checksum, _, _ = found.get("ChecksumSHA256", "").partition("-")  # then the number of parts
        return found["ContentLength"], checksum

    def _send(self, path: Path, key: str, label: str, size: int) -> None:
        from boto3.s3.transfer import TransferConfig

        done = 0
        lock = Lock()

        def progress(sent: int) -> None:
            nonlocal done
            with lock:
                done += sent
                self.report(Amount(STAGE, label, done, size, "bytes"))

        self.client.upload_file(
            str(path),
            self.bucket,
            key,
            ExtraArgs={"ChecksumAlgorithm": "SHA256"},
            Callback=progress,
            Config=TransferConfig(
                multipart_threshold=PART_BYTES,
                multipart_chunksize=PART_BYTES,
                max_concurrency=CONNECTIONS,
            ),
        )


_REGION = "Name a bucket in the region of the deploy: artifact_bucket in the table of the provider."
_ACCESS = (
    "Allow s3:GetObject and s3:PutObject on its objects below preheat/, and s3:ListBucket on the bucket."
)
_LOGIN = "Sign in again, such as with: aws sso login"
_REASONS = {"NoSuchBucket": "there is no such bucket"}
_HINTS = {
    "NoSuchBucket": "preheat bootstrap --provider lambda --region {region}  # or artifact_bucket = ...",
    "403": _ACCESS,
    "AccessDenied": _ACCESS,
    "301": _REGION,
    "400": _LOGIN,  # what a question without an answer's body says of an expired token
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "ExpiredToken": _LOGIN,
    "InvalidAccessKeyId": _LOGIN,
}


@contextmanager
def _translated(bucket: str, key: str, region: str) -> Iterator[None]:
    """Raise what boto3 raises as ProviderError."""
    from boto3.exceptions import S3UploadFailedError
    from botocore.exceptions import BotoCoreError, ClientError

    place = f"s3://{bucket}/{key}"
    try:
        yield
    except (ClientError, S3UploadFailedError) as exc:
        cause = exc.__context__ if isinstance(exc, S3UploadFailedError) else exc
        code = cause.response["Error"]["Code"] if isinstance(cause, ClientError) else ""
        reason = _REASONS.get(code) or (f"the store answered {code}" if code else str(exc))
        raise ProviderError(
            f"{place} cannot be stored: {reason}.", hint=_HINTS.get(code, "").format(region=region) or None
        ) from exc
    except BotoCoreError as exc:
        hint = "Check AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL."
        raise ProviderError(f"{place} cannot be stored: {exc}", hint=hint) from exc
