"""One supervisor for a home: a lock that the kernel frees when its holder dies, and the note of who that is.

The note in the file is written by the holder only; the lock decides, so that a note left by a
killed process misleads nobody.
"""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

from preheat.errors import Conflict
from preheat_providers.local.supervisor.paths import private_folder


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the lock, and the folder with its sockets."""

    pid: int
    sockets: Path


class SupervisorLock:
    """The lock of one home, while this object lives."""

    def __init__(self, path: Path) -> None:
        private_folder(path.parent)
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            os.close(self._descriptor)
            holder = read_holder(path)
            who = f"the process {holder.pid}" if holder else "another process"
            raise Conflict(
                f"A supervisor for {path.parent} runs already: {who} holds {path.name}.",
                hint=f"To end it: kill {holder.pid}" if holder else None,
            ) from exc

    def note(self, sockets: Path) -> None:
        """Write down who holds the lock."""
        note = json.dumps({"pid": os.getpid(), "sockets": str(sockets)}).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, note, 0)

    def release(self) -> None:
        """Clear the note and free the lock."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def read_holder(path: Path) -> Holder | None:
    """Return who wrote the note last, or None when there is none that can be read."""
    try:
        note = json.loads(path.read_text())
        return Holder(int(note["pid"]), Path(note["sockets"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def wait_until_free(path: Path) -> None:
    """Block until nobody holds the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)
