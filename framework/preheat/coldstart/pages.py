"""The page cache of the kernel: which files of a bundle it holds when a start begins.

Reads and writes no file; asks the kernel to forget what it holds of them, or to read it.
"""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from preheat.errors import PreheatError

DROP = Path("/proc/sys/vm/drop_caches")
PAGE_CACHE = "1"
CHUNK_BYTES = 1 << 20


def files_below(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield every file below `folders`."""
    for folder in folders:
        for place, _, names in os.walk(folder):
            yield from (Path(place) / name for name in names)


def forget(files: Iterable[Path]) -> None:
    """Ask the kernel to drop `files` from its cache; what another process maps stays there.

    Written pages go to storage first, because only clean ones are dropped (posix_fadvise(2)).
    """
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def forget_everything(drop: Path = DROP) -> None:
    """Drop the whole page cache of the machine. Raises PreheatError where this process may not."""
    try:
        os.sync()
        drop.write_text(PAGE_CACHE)
    except OSError as error:
        raise PreheatError(
            f"{drop} cannot be written ({error.strerror}), so the whole page cache cannot be dropped.",
            hint="Run it as root, or leave out --drop-caches: the bundle's own files are dropped without it.",
        ) from error


def read_ms(files: Iterable[Path]) -> float:
    """Read `files` once, one after another, and return how long that took."""
    buffer = bytearray(CHUNK_BYTES)
    begun = time.perf_counter()
    for path in files:
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
    return (time.perf_counter() - begun) * 1000
