"""Whether a process that has run setup may be forked, and what a forked child must put right.

A child has only the thread that forked. Native threads (OpenMP, an onnxruntime session with more
than one thread, telemetry) are gone there while the locks they held stay locked; a socket would be
shared by all children; a CUDA context does not survive a fork at all.
"""

import importlib
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GPU_DEVICES = "/dev/nvidia"


@dataclass(frozen=True, slots=True)
class Fork:
    """Whether forking is safe, and if not why, for the user to read."""

    safe: bool
    reason: str | None = None


def open_files(proc: Path = Path("/proc/self")) -> frozenset[str]:
    """Return this process's descriptors with what they are, such as `7 socket:[4242]`."""
    found = set()
    for entry in (proc / "fd").iterdir() if (proc / "fd").exists() else ():
        try:
            found.add(f"{entry.name} {entry.readlink()}")
        except FileNotFoundError:
            continue  # the descriptor that listed the folder
    return frozenset(found)


def judge_fork(before: frozenset[str], proc: Path = Path("/proc/self")) -> Fork:
    """Say whether this process may fork. `before` is `open_files` from before the user's code ran."""
    if not (proc / "task").exists():
        return Fork(False, "this system has no /proc, so threads cannot be counted")
    threads = _threads(proc)
    if len(threads) > 1:
        names = ", ".join(sorted(set(threads)))
        return Fork(
            False,
            f"setup leaves {len(threads) - 1} more threads running ({names}); "
            "one thread a session and ORT_DISABLE_TELEMETRY=1 avoid those of onnxruntime",
        )
    for opened in sorted(open_files(proc) - before):
        number, target = opened.split(" ", 1)
        if target.startswith(GPU_DEVICES):
            return Fork(False, f"setup opens the GPU ({target}); do that in restore")
        if target.startswith("socket:"):
            return Fork(False, f"setup leaves a socket open (descriptor {number}); open clients in restore")
    return Fork(True)


def _threads(proc: Path) -> list[str]:
    """Return the names of the threads of a process."""
    names = []
    for task in (proc / "task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # ended by now: before it was opened, or read
            names.append((task / "comm").read_text().strip())
    return names


def work_in(tmp: Path) -> None:
    """Make `tmp`, this child's own, the working directory and where temporary files go."""
    os.chdir(tmp)
    os.environ["TMPDIR"] = str(tmp)
    if "tempfile" in sys.modules:
        sys.modules["tempfile"].tempdir = None  # type: ignore[attr-defined]


def reseed() -> None:
    """Seed the generators that every program shares anew: forks and snapshots copy their state."""
    for name in ("random", "numpy.random", "torch"):
        if name in sys.modules:
            importlib.import_module(name).seed()  # waits where another thread is importing it
