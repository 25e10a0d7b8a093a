"""A file that lines are added to. Once it is large it becomes the old one, of which one is kept."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from preheat_providers.local.supervisor.paths import private_folder


class RotatedFile:
    """Bounded lines on disk. One thread writes."""

    def __init__(self, path: Path, rotate_bytes: int) -> None:
        self.path = path
        self._rotate_bytes = rotate_bytes
        self._file: BinaryIO | None = None

    @property
    def _old(self) -> Path:
        return self.path.with_suffix(".1.jsonl")

    def append(self, lines: bytes) -> None:
        """Add whole lines. Raises OSError, after which the next call opens the file again."""
        try:
            self._append(lines)
        except OSError:
            with suppress(OSError):
                self.close()
            raise

    def lines(self) -> Iterator[str]:
        """Yield what the files hold, oldest first."""
        for path in (self._old, self.path):
            if path.exists():
                with path.open(encoding="utf-8") as file:
                    yield from file

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def remove(self) -> tuple[Path, ...]:
        """Close and delete the files; return those that there were."""
        self.close()
        found = tuple(path for path in (self.path, self._old) if path.exists())
        for path in found:
            path.unlink()
        return found

    def _append(self, lines: bytes) -> None:
        if self._file is None:
            private_folder(self.path.parent)
            self._file = self.path.open("ab")
        self._file.write(lines)
        self._file.flush()
        if self._file.tell() >= self._rotate_bytes:
            self.close()
            self.path.replace(self._old)
