"""Bounds that the operating system keeps for us: memory, file size, core dumps, and the time for setup."""

import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

MB = 1024 * 1024


def confine(*, memory_mb: int, tmp_mb: int) -> None:
    """Bound this process and those it starts.

    Memory is RLIMIT_DATA (private writable mappings, setrlimit(2)), not RLIMIT_AS: mapped weights
    must not count, and runtimes reserve address space that they never touch. Beyond it,
    allocations fail with MemoryError. A file that grows past `tmp_mb` fails with EFBIG.
    """
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, tmp_mb * MB)
    if sys.platform == "linux":  # elsewhere RLIMIT_DATA does not count mmap, where large arrays live
        _lower(resource.RLIMIT_DATA, memory_mb * MB)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """End the process by SIGALRM when the block takes longer: code that hangs may hold the GIL."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (bound, bound))
