"""`s3:` weights, with boto3 and whatever credentials and endpoint it finds."""

from collections.abc import Generator

from preheat.bundle.weights.source import S3
from preheat.bundle.weights.transfer import CHUNK, Incoming
from preheat.errors import BundleError


def open_s3(source: S3) -> Incoming:
    """Open an object. Raises BundleError if it is not there or may not be read."""
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as exc:
        raise BundleError("Weights from `s3:` need boto3.", hint="Run: pip install 'preheat[aws]'") from exc
    place = f"s3://{source.bucket}/{source.key}"
    try:
        answer = boto3.client("s3").get_object(Bucket=source.bucket, Key=source.key)
    except ClientError as exc:
        code = exc.response.get("Error", {}).get("Code", "an error")
        raise BundleError(
            f"{place} cannot be read: the store answered {code}.",
            hint="Check bucket and key, and that your credentials allow s3:GetObject on it.",
        ) from exc
    except BotoCoreError as exc:
        raise BundleError(
            f"{place} cannot be read: {exc}.", hint="Check AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL."
        ) from exc

    def chunks() -> Generator[bytes, None, None]:
        try:
            yield from answer["Body"].iter_chunks(CHUNK)
        except BotoCoreError as exc:
            raise BundleError(f"Reading {place} broke off: {exc}.", hint="Build again.") from exc

    return Incoming(answer["ContentLength"], chunks())
