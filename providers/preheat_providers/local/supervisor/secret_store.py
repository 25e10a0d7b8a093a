"""The values of a function's secrets: one file of mode 0600 for each release, never in the state or a log."""

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from preheat_providers.local.supervisor.paths import private_file


class SecretStore:
    """The secrets of one function."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, release: int, values: Mapping[str, str]) -> None:
        """Keep the values of one release, in place of what a killed deploy left under its number."""
        if values:
            private_file(self._file(release), json.dumps(dict(values)))
        else:
            self.drop(release)

    def read(self, release: int) -> dict[str, str]:
        """Return the values of one release."""
        path = self._file(release)
        return (
            {str(key): str(value) for key, value in json.loads(path.read_text()).items()}
            if path.exists()
            else {}
        )

    def drop(self, release: int) -> None:
        """Forget the values of one release."""
        self._file(release).unlink(missing_ok=True)

    def keep(self, releases: Iterable[int]) -> None:
        """Forget everything but the values of `releases`, also what was being written."""
        kept = {self._file(release) for release in releases}
        for path in self._folder.glob("*"):
            if path not in kept:
                path.unlink()

    def remove(self) -> bool:
        """Forget everything; say whether there was something."""
        found = self._folder.exists()
        shutil.rmtree(self._folder, ignore_errors=True)
        return found

    def _file(self, release: int) -> Path:
        return self._folder / f"{release}.json"
