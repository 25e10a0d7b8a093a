"""What a bucket holds, as S3 would tell of it. Reads S3."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from preheat.runtime.objects.events import ObjectRecord
from preheat_providers._aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def listed(client: "S3Client", bucket: str, prefix: str) -> Iterator[ObjectRecord]:
    """Yield every object below `prefix`, in order of the keys. Raises ProviderError."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    with translated(f"s3://{bucket}/{prefix} cannot be listed"):
        for page in pages:
            for each in page.get("Contents", ()):
                if each["Key"].endswith("/"):
                    continue
                yield ObjectRecord(
                    bucket=bucket,
                    key=each["Key"],
                    size=each["Size"],
                    etag=each["ETag"].strip('"'),
                    version_id=None,
                    sequencer="",
                    time=each["LastModified"].timestamp(),
                )
