"""Objects to files when a function starts: parts side by side, hashed while they come, complete or absent.

In /tmp a start that was cut off goes on where it stopped: a journal beside each file names its finished
parts. In memory a file is a link to anonymous memory, which a SnapStart snapshot keeps like everything else.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from preheat.errors import ProviderError
from preheat_providers.aws_lambda.shipped.weights.bucket import Bucket, address_of
from preheat_providers.aws_lambda.shipped.weights.credentials import read_credentials
from preheat_providers.aws_lambda.shipped.weights.listing import LISTING, Item, read_listing

BUCKET, INTO = "PREHEAT_WEIGHTS_BUCKET", "PREHEAT_WEIGHTS_INTO"
"""What the deploy sets for a function whose weights come from S3; INTO is `tmp` or `memory`."""

FOLDER = Path("/tmp/preheat-weights")  # noqa: S108 - the one place that a function may write to
PART = 8 << 20
THREADS = 8
"""One connection to S3 brings 40 to 90 MB/s, a function's network 78 (625 Mbit/s): eight hide the waits."""

_READ = 1 << 20


def begin_to_fetch(task: Path, environ: Mapping[str, str], *, folder: Path = FOLDER) -> Future[None] | None:
    """Fetch what the archive unpacked at `task` lists, while the caller goes on; None if it lists nothing.

    The future has an end when all is below `folder`, or raises ProviderError.
    """
    listing = task / LISTING
    if BUCKET not in environ or not listing.is_file():
        return None
    pool = ThreadPoolExecutor(1, thread_name_prefix="fetch")
    fetching = pool.submit(_fetch_listed, listing, environ, folder)
    pool.shutdown(wait=False)
    return fetching


def _fetch_listed(listing: Path, environ: Mapping[str, str], folder: Path) -> None:
    bucket = Bucket(address_of(environ[BUCKET], environ), read_credentials(environ))
    try:
        items = read_listing(listing.read_text())
        fetch(items, folder, bucket, in_memory=environ.get(INTO) == "memory")
    finally:
        bucket.close()


def fetch(
    items: Sequence[Item], folder: Path, bucket: Bucket, *, in_memory: bool = False, threads: int = THREADS
) -> None:
    """Put `items` below `folder`; what is there already and whole is kept. Raises ProviderError."""
    missing = [item for item in items if not _is_whole(item, folder / item.path)]
    with ExitStack() as files, ThreadPoolExecutor(threads, thread_name_prefix="weights") as pool:
        try:
            make = _in_memory if in_memory else _in_tmp
            opened = [files.enter_context(make(item, folder / item.path)) for item in missing]
            parts = [[pool.submit(_part, bucket, file, number) for number in file.parts] for file in opened]
            for file, futures in zip(opened, parts, strict=True):
                _verify(file, futures)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _File:
    """A file that is being filled. `journal` is None where nothing survives the process."""

    item: Item
    final: Path
    descriptor: int
    journal: int | None

    @property
    def parts(self) -> range:
        return range(-(-self.item.bytes // PART))

    def span(self, number: int) -> tuple[int, int]:
        return number * PART, min((number + 1) * PART, self.item.bytes)


def _part(bucket: Bucket, file: _File, number: int) -> None:
    """Fetch one part, unless the journal has it."""
    if file.journal is not None and os.pread(file.journal, 1, number) == b"\1":
        return
    position, end = file.span(number)
    for chunk in bucket.read(file.item, position, end):
        os.pwrite(file.descriptor, chunk, position)
        position += len(chunk)
    if file.journal is not None:
        os.pwrite(file.journal, b"\1", number)


def _verify(file: _File, futures: list[Future[None]]) -> None:
    """Hash the parts as they arrive, then give the file its name. Raises ProviderError on another content."""
    digest = hashlib.sha256()
    for number, future in enumerate(futures):
        future.result()
        first, end = file.span(number)
        for position in range(first, end, _READ):
            digest.update(os.pread(file.descriptor, min(_READ, end - position), position))
    item = file.item
    if digest.hexdigest() == item.sha256:
        if file.journal is not None:
            _beside(file.final, "part").rename(file.final)
            _beside(file.final, "parts").unlink()
        return
    for path in (file.final, _beside(file.final, "part"), _beside(file.final, "parts")):
        path.unlink(missing_ok=True)
    raise ProviderError(
        f"The weights {item.path} have another content than what was deployed; nothing was kept.\n"
        f"  expected sha256 {item.sha256}\n  received sha256 {digest.hexdigest()} from {item.key}",
        hint="Somebody replaced the object. Delete it and deploy again.",
    )


@contextmanager
def _in_tmp(item: Item, final: Path) -> Iterator[_File]:
    final.parent.mkdir(parents=True, exist_ok=True)
    data, journal = _beside(final, "part"), _beside(final, "parts")
    if not data.is_file() or data.stat().st_size != item.bytes:
        journal.unlink(missing_ok=True)
    descriptor = os.open(data, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    noted = os.open(journal, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _reserve(item, descriptor)
        yield _File(item, final, descriptor, noted)
    finally:
        os.close(descriptor)
        os.close(noted)


@contextmanager
def _in_memory(item: Item, final: Path) -> Iterator[_File]:
    """The descriptor stays open for as long as the process lives: the link leads through it."""
    final.parent.mkdir(parents=True, exist_ok=True)
    final.unlink(missing_ok=True)
    descriptor = os.memfd_create(final.name)
    os.ftruncate(descriptor, item.bytes)
    final.symlink_to(f"/proc/{os.getpid()}/fd/{descriptor}")
    try:
        yield _File(item, final, descriptor, None)
    except BaseException:
        final.unlink(missing_ok=True)
        os.close(descriptor)
        raise


def _reserve(item: Item, descriptor: int) -> None:
    try:
        os.ftruncate(descriptor, item.bytes)
        if item.bytes:
            os.posix_fallocate(descriptor, 0, item.bytes)
    except OSError as exc:
        raise ProviderError(
            f"There is no room in /tmp for the {item.bytes / 1e6:.1f} MB of {item.path}: {exc.strerror}.",
            hint="Raise [resources] tmp_mb, up to 10240.",
        ) from exc


def _is_whole(item: Item, path: Path) -> bool:
    with suppress(FileNotFoundError):
        if path.stat().st_size == item.bytes:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == item.sha256
    return False


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}.{suffix}")
