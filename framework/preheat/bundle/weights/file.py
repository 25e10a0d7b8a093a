"""`file:` weights. A file is hashed once for each state it is in, which its status tells."""

import json
from collections.abc import Generator
from pathlib import Path

from preheat.bundle.cache import Cache
from preheat.bundle.weights.transfer import CHUNK, Incoming
from preheat.errors import BundleError


def open_file(path: Path) -> Incoming:
    """Open a local file. Raises BundleError if it is not there."""
    try:
        return Incoming(path.stat().st_size, _chunks(path))
    except FileNotFoundError as exc:
        raise BundleError(
            f"There is no file {path}, which preheat.toml names as weights.",
            hint="Put it there, or correct `source` (it is relative to the folder of preheat.toml).",
        ) from exc


def _chunks(path: Path) -> Generator[bytes, None, None]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


class Seen:
    """Remembers the SHA-256 of a local file in the state it is in."""

    def __init__(self, path: Path, cache: Cache) -> None:
        status = path.stat()
        state = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        self._memo = cache.memo("seen", json.dumps([str(path.resolve()), state]))
        self._cache = cache

    def recall(self) -> str | None:
        """Return the digest if the file was stored in this very state."""
        try:
            return self._memo.read_text()
        except FileNotFoundError:
            return None

    def remember(self, digest: str) -> None:
        """Record the digest of this state."""
        self._cache.write(self._memo, digest)
