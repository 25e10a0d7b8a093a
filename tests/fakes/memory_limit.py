"""A bound on what a process and its children may take of memory, by the kernel's cgroups (root only)."""

import os
import select
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

ROOT = Path("/sys/fs/cgroup")
ENTER = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


class NoCgroups(Exception):
    """This machine lets us make none; the message says why."""


@dataclass(frozen=True)
class MemoryLimit:
    """A group of processes."""

    folder: Path

    def entered(self, *command: str | Path) -> list[str | Path]:
        """Return what runs `command` in the group."""
        return ["/bin/sh", "-c", ENTER, self.folder, *command]


@contextmanager
def memory_limit(limit_bytes: int) -> Iterator[MemoryLimit]:
    """Make a group that is killed beyond `limit_bytes`. Raises NoCgroups."""
    try:
        parent, limits = _place(limit_bytes)
        folder = parent / f"preheat-test-{uuid4().hex}"
        folder.mkdir()
    except OSError as error:
        raise NoCgroups(f"no cgroup with a limit of memory can be made here: {error}") from error
    try:
        for name, value in limits.items():
            with suppress(FileNotFoundError):  # swap, where the kernel does not count it
                (folder / name).write_text(value)
        yield MemoryLimit(folder)
    finally:
        for pid in (folder / "cgroup.procs").read_text().split():
            _await_end(int(pid))
        folder.rmdir()


def _place(limit_bytes: int) -> tuple[Path, Mapping[str, str]]:
    """Return where to make a group, and what to write into it: of version 1, or else of version 2."""
    paths: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        paths |= dict.fromkeys(controllers.split(","), path.lstrip("/"))
    limit = str(limit_bytes)
    if "memory" in paths:
        names = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
        return ROOT / "memory" / paths["memory"], dict.fromkeys(names, limit)
    parent = ROOT / paths[""]
    (parent / "cgroup.subtree_control").write_text("+memory")
    return parent, {"memory.max": limit, "memory.swap.max": "0"}


def _await_end(pid: int) -> None:
    with suppress(ProcessLookupError):
        ended = os.pidfd_open(pid)
        try:
            select.select([ended], [], [])
        finally:
            os.close(ended)
