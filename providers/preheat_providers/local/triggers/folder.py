"""A folder that stands for a bucket: files are objects, paths below the folder are keys."""

import asyncio
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from preheat.errors import BadInput, BodyTooLarge, NotFound, RequestError, Unavailable
from preheat.runtime.objects.events import ObjectRecord
from preheat_providers.local.jobs import Log, Superseded, write_atomically
from preheat_providers.local.triggers.buckets import Found, Place
from preheat_providers.local.triggers.keys import check_key, check_path, unfinished

CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that is no object, and why."""

    path: Path
    reason: str


class FolderBucket:
    """The bucket at `place`. Symbolic links are followed only to what lies inside the folder."""

    def __init__(self, place: Place, *, log: Log) -> None:
        self.place = place
        self._root = Path(place.location)
        self._log = log

    @property
    def root(self) -> Path:
        """The folder, without symbolic links."""
        return self._root

    def key_of(self, path: Path) -> str:
        """Return the key of a path below the folder."""
        return path.relative_to(self._root).as_posix()

    def find(self, path: Path) -> Found | None:
        """Return the object that a path stands for; None if it is none, unfinished or refused."""
        found = self._logged([self._look(path)])
        return found[0] if found else None

    async def scan(self, top: Path) -> tuple[Found, ...]:
        """Return the objects below a folder, in no order."""
        return tuple(self._logged(await asyncio.to_thread(lambda: list(self._walk(top)))))

    async def list(self, prefix: str) -> tuple[Found, ...]:
        """Return the objects whose keys begin with `prefix`, sorted."""
        found = await self.scan(self._root / prefix.rpartition("/")[0])
        return tuple(
            sorted((each for each in found if each.key.startswith(prefix)), key=lambda each: each.key)
        )

    async def identify(self, found: Found) -> ObjectRecord | None:
        """Read the file for its eTag, the MD5 of its bytes."""

        def work() -> ObjectRecord | None:
            digest = hashlib.md5(usedforsecurity=False)
            try:
                with self._open(found.key) as stream:
                    while chunk := stream.read(CHUNK):
                        digest.update(chunk)
                    state = os.fstat(stream.fileno())
            except (OSError, RequestError):
                return None
            if (state.st_size, state.st_mtime_ns) != (found.size, found.mtime_ns):
                return None
            return ObjectRecord(
                bucket=self.place.name,
                key=found.key,
                size=found.size,
                etag=digest.hexdigest(),
                version_id=None,
                sequencer=f"{max(0, found.mtime_ns):016X}",
                time=found.mtime_ns / 1e9,
            )

        return await asyncio.to_thread(work)

    async def read(self, record: ObjectRecord, limit: int) -> bytes:
        """Return the file's bytes if they are still those that `record` names."""
        return await asyncio.to_thread(self._read, record, limit)

    async def current(self, record: ObjectRecord) -> bool:
        """Compare size and time, and the bytes only when the time says that they were written anew."""
        found = await asyncio.to_thread(self._look, self._root / record.key)
        if not isinstance(found, Found):
            return True
        if found.size != record.size:
            return False
        if f"{max(0, found.mtime_ns):016X}" == record.sequencer:
            return True
        now = await self.identify(found)
        return now is not None and now.etag == record.etag

    async def write(self, key: str, body: bytes, media_type: str) -> None:  # noqa: ARG002 - a file has no type
        """Write the file beside its place, then rename it there."""

        def work() -> None:
            try:
                path = self._safe(key)  # first: the folders, too, are made only inside the bucket
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, body)
            except OSError as error:
                raise Unavailable(f"The result {key!r} cannot be written: {error.strerror}.") from error

        await asyncio.to_thread(work)

    def _walk(self, top: Path) -> Iterator[Found | Refusal | None]:
        for folder, folders, files in os.walk(top):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                yield self._look(Path(folder, name))

    def _look(self, path: Path) -> Found | Refusal | None:
        key = self.key_of(path)
        if unfinished(key):
            return None
        try:
            check_key(key)
            state = self._safe(key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (RequestError, OSError) as error:
            return Refusal(path, str(error))
        if not stat.S_ISREG(state.st_mode):
            return None
        return Found(key=key, size=state.st_size, mtime_ns=state.st_mtime_ns)

    def _logged(self, looks: Iterable[Found | Refusal | None]) -> Sequence[Found]:
        """Return what was found and log what was refused: here, since a log is not for other threads."""
        found = []
        for each in looks:
            if isinstance(each, Refusal):
                path = repr(str(each.path))
                self._log("object-refused", bucket=self.place.name, path=path, reason=each.reason)
            elif each is not None:
                found.append(each)
        return found

    def _read(self, record: ObjectRecord, limit: int) -> bytes:
        try:
            with self._open(record.key) as stream:
                size = os.fstat(stream.fileno()).st_size
                body = b"" if size > limit else stream.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFound(f"The object {record.key!r} was deleted before it was read.") from error
        except OSError as error:
            raise Unavailable(f"The object {record.key!r} cannot be read: {error.strerror}.") from error
        if size > limit or len(body) > limit:
            raise BodyTooLarge(
                f"The object {record.key!r} has {max(size, len(body))} bytes; the limit is {limit}."
            )
        if hashlib.md5(body, usedforsecurity=False).hexdigest() != record.etag:
            raise Superseded(f"The object {record.key!r} has changed; its new content is another delivery.")
        return body

    def _open(self, key: str) -> BinaryIO:
        # Without O_NONBLOCK a pipe that took the file's place would hold the thread for ever.
        descriptor = os.open(self._safe(key), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        stream = os.fdopen(descriptor, "rb")
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            stream.close()
            raise BadInput(f"The object {key!r} is not a regular file.")
        return stream

    def _safe(self, key: str) -> Path:
        """Return the real path of `key`. Raises BadInput when that is not inside the folder."""
        check_path(key)
        try:
            path = (self._root / key).resolve()
        except RuntimeError as error:
            raise BadInput(f"The object {key!r} is a loop of symbolic links.") from error
        if not path.is_relative_to(self._root):
            raise BadInput(f"The object {key!r} is a symbolic link that leaves the bucket.")
        return path
