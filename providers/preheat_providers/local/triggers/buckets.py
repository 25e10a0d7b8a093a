"""What a bucket can do, and where the buckets of a project are: folders, or buckets of an S3 endpoint."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from preheat.errors import ProviderError
from preheat.runtime.objects.events import ObjectRecord
from preheat_providers.local.options import Options

S3 = "s3://"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a bucket is: a folder as `/path`, or `s3://bucket` at `endpoint` (None is AWS). JSON by `asdict`.

    `name` is what events call it.
    """

    name: str
    location: str
    endpoint: str | None = None

    @property
    def is_s3(self) -> bool:
        """Whether it is behind an S3 endpoint."""
        return self.location.startswith(S3)

    def at(self, prefix: str) -> str:
        """Return the whole location of keys that begin with `prefix`."""
        return f"{self.endpoint or ''}{self.location}/{prefix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One object that is there now. `etag` is None for a file whose bytes were not read yet."""

    key: str
    size: int
    mtime_ns: int
    etag: str | None = None


class Bucket(Protocol):
    """One bucket. Its errors are RequestErrors: 4xx for what no retry mends, Unavailable for what one may."""

    place: Place

    async def list(self, prefix: str) -> tuple[Found, ...]:
        """Return the objects whose keys begin with `prefix`."""
        ...

    async def identify(self, found: Found) -> ObjectRecord | None:
        """Return the record of an object, or None when it is gone or changes while it is read."""
        ...

    async def read(self, record: ObjectRecord, limit: int) -> bytes:
        """Return the object's bytes. Raises Superseded, NotFound, BodyTooLarge, Unavailable."""
        ...

    async def current(self, record: ObjectRecord) -> bool:
        """Say whether the key holds no newer content than `record`; an object that is gone has none."""
        ...

    async def write(self, key: str, body: bytes, media_type: str) -> None:
        """Put an object, whole or not at all. Raises BadInput, Unavailable."""
        ...


def locate(name: str, options: Options, home: Path) -> Place:
    """Return where the bucket `name` of preheat.toml is. Raises ProviderError."""
    if not _NAME.fullmatch(name):
        raise ProviderError(
            f"{name!r} is no bucket name: use letters, digits, '.', '_', '-', and put a prefix after a '/'."
        )
    given = options.buckets.get(name)
    if given is None:
        return Place(name=name, location=str((home / "buckets" / name).resolve()))
    if given.startswith(S3):
        return s3_place(given, options)[0]
    path = Path(given).expanduser()
    if not path.is_absolute():
        raise ProviderError(f"The bucket {name!r} is at {given!r}, which is not an absolute path.")
    return Place(name=name, location=str(path.resolve()))


def s3_place(url: str, options: Options) -> tuple[Place, str]:
    """Return the place and the prefix of `s3://BUCKET/PREFIX`. Raises ProviderError."""
    bucket, _, prefix = url.removeprefix(S3).partition("/")
    if not _NAME.fullmatch(bucket):
        raise ProviderError(f"{url!r} names no bucket. Write s3://BUCKET or s3://BUCKET/PREFIX.")
    return Place(name=bucket, location=f"{S3}{bucket}", endpoint=options.s3_endpoint), prefix
