"""Where built things are kept: `$PREHEAT_HOME/cache`. Nothing half-done ever has its final name.

Concurrent builds in one home are safe: a thing is made in a staging folder of its own and renamed
into place in one step; whoever comes second finds it there and throws its own copy away.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from preheat.bundle.model import LayerName
from preheat.errors import Conflict

ABANDONED_AFTER_S = 24 * 3600
"""A staging folder this old belongs to a build that was killed."""


class Cache:
    """One cache folder. Methods named after a thing return its path, whether it exists or not."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def layer(self, name: LayerName, digest: str) -> Path:
        """Return the folder of a layer."""
        return self.root / "layers" / f"{name}-{digest.removeprefix('sha256:')}"

    def bundle(self, digest: str) -> Path:
        """Return the folder of a bundle's record."""
        return self.root / "bundles" / digest.removeprefix("sha256:")

    def package(self, key: str) -> Path:
        """Return the folder of one installed distribution."""
        return self.root / "packages" / key

    def blob(self, digest: str) -> Path:
        """Return the file of weights whose SHA-256 is `digest` (hex)."""
        return self.root / "weights" / digest

    def bytecode(self, version: str, key: str) -> Path:
        """Return the file of one compiled module."""
        return self.root / "bytecode" / version / key[:2] / f"{key}.pyc"

    def memo(self, kind: str, key: str) -> Path:
        """Return a small file that remembers an answer; `key` is any text."""
        return self.root / kind / sha256(key.encode()).hexdigest()

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Yield a new empty folder on the cache's own file system; whatever is left in it is removed."""
        parent = self.root / "tmp"
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, staged: Path, final: Path) -> None:
        """Rename `staged`, a file or a folder, to `final`; a folder that is already there stays."""
        final.parent.mkdir(parents=True, exist_ok=True)
        if staged.is_dir() and final.is_dir():
            return
        try:
            staged.replace(final)
        except OSError:
            if not final.is_dir():
                raise

    def write(self, final: Path, text: str) -> None:
        """Write a small file in one step."""
        with self.staging() as folder:
            (folder / "file").write_text(text)
            self.publish(folder / "file", final)

    @contextmanager
    def exclusive(self, key: str) -> Iterator[None]:
        """Hold the lock called `key` against every other process that uses this cache."""
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / sha256(key.encode()).hexdigest()).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep `alone` away while the block builds, or deploys what was built."""
        with self._use().open("w") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Run the block while no build and no deploy does. Raises Conflict where one runs."""
        with self._use().open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as taken:
                raise Conflict(
                    f"A build or a deploy uses {self.root} right now.", hint="Try again when it has ended."
                ) from taken
            yield

    def used(self, *paths: Path) -> None:
        """Note that these folders are used now, which keeps them from being pruned for their age."""
        for path in paths:
            with suppress(FileNotFoundError):
                os.utime(path)

    def _use(self) -> Path:
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / "use"

    def sweep(self, *, now: float | None = None) -> None:
        """Remove what killed builds left in staging. `now` is in seconds since the epoch."""
        oldest = (time.time() if now is None else now) - ABANDONED_AFTER_S
        parent = self.root / "tmp"
        with suppress(FileNotFoundError):
            for entry in os.scandir(parent):
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < oldest:
                        shutil.rmtree(entry.path, ignore_errors=True)
