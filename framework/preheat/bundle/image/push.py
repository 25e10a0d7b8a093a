"""An image into a registry: what is there is skipped, what another repository has is mounted, the rest sent.

Blobs go in parallel, the manifest goes last: a push that breaks off leaves no half image, and the same
command goes on from there. Layers of a base elsewhere stream through this machine, checked on the way.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from preheat.bundle.image.base import RemoteBlob
from preheat.bundle.image.blob import Blob
from preheat.bundle.image.image import Image
from preheat.bundle.image.reference import Reference
from preheat.bundle.image.registry.registries import Registries
from preheat.bundle.image.registry.repository import Repository
from preheat.bundle.image.registry.upload import CHUNK, Upload
from preheat.progress import Amount, Report, Step

STAGE = "push"
PARALLEL = 4
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a push did. `reference` has the digest; counts are of blobs, `sent_bytes` of their content."""

    reference: Reference
    sent: int
    sent_bytes: int
    mounted: int
    skipped: int


def push_image(
    image: Image, to: Reference, *, registries: Registries, report: Report, chunk: int = CHUNK
) -> Pushed:
    """Store `image` at `to`. Raises RegistryError; the tag then still names what it named before.

    A push that fails or is interrupted stops `registries`, so that no upload outlives it.
    """
    base = image.base.reference
    neighbour = base.repository if base.registry == to.registry else None
    repository = registries.to_write(to, mount_from=neighbour)
    report(Step(STAGE, f"asking {repository.transport.registry}"))
    repository.ping()
    blobs = _blobs(image)
    tally = _Tally(sum(blob.size for blob in blobs.values()), report)
    if repository.digest(image.digest) != image.digest:
        tasks = [_Task(repository, blob, neighbour, tally, chunk) for blob in blobs.values()]
        _in_parallel(tasks, registries)
    else:
        tally.skipped = len(blobs)
    tag = to.tag or image.digest
    if tag == image.digest or repository.digest(tag) != image.digest:
        report(Step(STAGE, f"naming it {to}"))
        repository.put_manifest(tag, image.media_type, image.manifest.data)
    return Pushed(
        reference=to.at(image.digest),
        sent=tally.sent,
        sent_bytes=tally.sent_bytes,
        mounted=tally.mounted,
        skipped=tally.skipped,
    )


def missing_bytes(image: Image, to: Reference, *, registries: Registries) -> int:
    """Return how much of `image` the repository `to` lacks, all of it where there is no such repository.

    Raises RegistryError.
    """
    repository = registries.to_read(to)
    if repository.digest(image.digest) == image.digest:
        return 0
    blobs = _blobs(image).values()
    there = _in_parallel([partial(repository.has_blob, blob.digest, blob.size) for blob in blobs], registries)
    return sum(blob.size for blob, found in zip(blobs, there, strict=True) if not found)


def _blobs(image: Image) -> dict[str, Blob]:
    return {blob.digest: blob for blob in (*(each.blob for each in image.layers), image.config)}


@dataclass(slots=True)
class _Tally:
    """Counts for several threads, and reports the bytes of all of them as one amount."""

    total: int
    report: Report
    sent: int = 0
    sent_bytes: int = 0
    mounted: int = 0
    skipped: int = 0
    _done: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def skip(self, blob: Blob, *, mounted: bool) -> None:
        with self._lock:
            self.mounted += mounted
            self.skipped += not mounted
            self._move(blob.size)

    def send(self, size: int) -> None:
        with self._lock:
            self.sent_bytes += size
            self._move(size)

    def finish(self) -> None:
        with self._lock:
            self.sent += 1

    def _move(self, size: int) -> None:
        self._done += size
        self.report(Amount(STAGE, "layers", self._done, self.total, "bytes"))


@dataclass(frozen=True, slots=True)
class _Task:
    """One blob to have in `repository`."""

    repository: Repository
    blob: Blob
    neighbour: str | None
    tally: _Tally
    chunk: int

    def __call__(self) -> None:
        if self.repository.has_blob(self.blob.digest, self.blob.size):
            self.tally.skip(self.blob, mounted=False)
            return
        place = None
        if self.neighbour is not None and isinstance(self.blob, RemoteBlob):
            place = self.repository.begin(mount=self.blob.digest, source=self.neighbour)
            if place is None:
                self.tally.skip(self.blob, mounted=True)
                return
        Upload(self.repository, self.blob, self.tally.send, chunk=self.chunk).run(place)
        self.tally.finish()


def _in_parallel(tasks: Sequence[Callable[[], T]], registries: Registries) -> list[T]:
    """Return what `tasks` return; the first that fails ends those under way, and the others never begin."""
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="registry") as pool:
        try:
            futures = [pool.submit(task) for task in tasks]
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        except BaseException:  # also Ctrl-C: the pool is left once its threads have ended
            registries.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]
