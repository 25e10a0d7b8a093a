"""A bucket behind an S3 endpoint, over the client of `aws.py`; its calls run on threads."""

import asyncio
from typing import TYPE_CHECKING

from preheat.errors import BodyTooLarge, NotFound
from preheat.runtime.objects.events import ObjectRecord
from preheat_providers.local.jobs import Superseded
from preheat_providers.local.triggers.aws import calling
from preheat_providers.local.triggers.buckets import S3, Found, Place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Bucket:
    """The bucket at `place`."""

    def __init__(self, place: Place, client: "S3Client") -> None:
        self.place = place
        self._client = client
        self._bucket = place.location.removeprefix(S3)

    async def list(self, prefix: str) -> tuple[Found, ...]:
        """Return the objects whose keys begin with `prefix`; `mtime_ns` is the time of their creation."""
        return await asyncio.to_thread(self._list, prefix)

    async def identify(self, found: Found) -> ObjectRecord | None:
        """Return the record; the listing has said all of it."""
        return ObjectRecord(
            bucket=self.place.name,
            key=found.key,
            size=found.size,
            etag=found.etag or "",
            version_id=None,
            sequencer=f"{found.mtime_ns:016X}",
            time=found.mtime_ns / 1e9,
        )

    async def read(self, record: ObjectRecord, limit: int) -> bytes:
        """Return the bytes of the record's version, or of the key if it still has the record's eTag."""
        return await asyncio.to_thread(self._read, record, limit)

    async def current(self, record: ObjectRecord) -> bool:
        """Ask for the key's newest eTag and version."""

        def work() -> bool:
            try:
                with calling("read", record.key):
                    head = self._client.head_object(Bucket=self._bucket, Key=record.key)
            except NotFound:
                return True
            if record.version_id is not None:
                return head.get("VersionId", record.version_id) == record.version_id
            return head["ETag"].strip('"') == record.etag

        return await asyncio.to_thread(work)

    async def write(self, key: str, body: bytes, media_type: str) -> None:
        """Put the object; S3 shows it whole or not at all."""

        def work() -> None:
            with calling("written", key):
                self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=media_type)

        await asyncio.to_thread(work)

    def _list(self, prefix: str) -> tuple[Found, ...]:
        found: list[Found] = []
        with calling("listed", self._bucket):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                found += [
                    Found(
                        key=each["Key"],
                        size=each["Size"],
                        mtime_ns=int(each["LastModified"].timestamp() * 1e9),
                        etag=each["ETag"].strip('"'),
                    )
                    for each in page.get("Contents", ())
                    if not each["Key"].endswith("/")
                ]
        return tuple(found)

    def _read(self, record: ObjectRecord, limit: int) -> bytes:
        with calling("read", record.key):
            if record.version_id is None:
                answer = self._client.get_object(Bucket=self._bucket, Key=record.key)
            else:
                answer = self._client.get_object(
                    Bucket=self._bucket, Key=record.key, VersionId=record.version_id
                )
            with answer["Body"] as stream:
                if record.version_id is None and answer["ETag"].strip('"') != record.etag:
                    raise Superseded(
                        f"The object {record.key!r} has changed; its new content is another delivery."
                    )
                if (size := answer["ContentLength"]) > limit:
                    raise BodyTooLarge(f"The object {record.key!r} has {size} bytes; the limit is {limit}.")
                return stream.read()
