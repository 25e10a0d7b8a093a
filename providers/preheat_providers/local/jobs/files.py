"""Write a file so that a reader, or the next start after a crash, sees all of it or nothing."""

import fcntl
import hashlib
import os
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: Path, body: bytes) -> None:
    """Replace `path` by `body`, on disk when this returns. Makes the folders above it; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The name is short, since the target's own may be as long as a name can be, and hidden, since
    # the folder may be a bucket. It is the same each time: a write that a crash cut short is taken
    # up by the next one, and leaves nothing.
    temporary = path.parent / f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:32]}.tmp"
    with _locked(temporary) as stream:
        try:
            stream.truncate()
            stream.write(body)
            stream.flush()
            os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    sync_folder(path.parent)


def _locked(path: Path) -> BinaryIO:
    """Open `path` for this writer alone. The lock ends with the file, also when the process is killed."""
    while True:
        stream = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "r+b")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX)
            # Whoever held the lock before may have renamed the file to its target meanwhile.
            if _same_file(stream, path):
                return stream
        except BaseException:
            stream.close()
            raise
        stream.close()


def _same_file(stream: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False


def sync_folder(folder: Path) -> None:
    """Make renames and removals in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Bodies:
    """Large bodies beside the database: one file each, written before the row that names it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, body: bytes) -> None:
        """Keep `body` under `name`. Raises OSError."""
        write_atomically(self._folder / name, body)

    def read(self, name: str) -> bytes:
        """Return the body called `name`. Raises FileNotFoundError."""
        return (self._folder / name).read_bytes()

    def remove(self, name: str) -> None:
        """Forget the body called `name`, if there is one."""
        (self._folder / name).unlink(missing_ok=True)

    def sweep(self, keep: set[str]) -> None:
        """Remove every body that no row names: what a crash left between a file and its row."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.name not in keep:
                    path.unlink()
