"""Whether anything changed since the last build, from file status alone: reads no content, starts nothing.

Every input counts: the files with their size, times and inode, the parts of preheat.toml that the
bundle depends on, the target, this Python and this preheat. The time of the last status change
cannot be set back by a program, so that an edit which keeps size and modification time is seen.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from preheat import __version__
from preheat.bundle.cache import Cache
from preheat.bundle.ignore import ignore_files
from preheat.bundle.lock import LOCK
from preheat.bundle.model import Target
from preheat.bundle.weights.source import local_path
from preheat.project.model import Project

SETTLED_AFTER_NS = 50_000_000
"""File times tick in steps: a file younger than this may change again without another time."""


class Fingerprint:
    """The inputs of one build. `key` says which build, `value` says in which state its inputs were."""

    def __init__(self, project: Project, target: Target, files: Iterable[Path]) -> None:
        started = time.time_ns()
        inputs = [*files, *ignore_files(project.root)]
        for entry in project.weights:
            place = local_path(project.root, entry)
            inputs += [] if place is None else [place, *(place.rglob("*") if place.is_dir() else ())]
        states = {str(path): _state(path) for path in inputs}
        self.key = json.dumps([str(project.root), project.stage, asdict(target)])
        self._settled = max((state[2] for state in states.values()), default=0) < started - SETTLED_AFTER_NS
        content = [
            [__version__, sys.version, project.name, project.handler, project.requirements],
            [asdict(project.limits), [asdict(entry) for entry in project.weights]],
            sorted(states.items()),
            _state(project.root / LOCK),
        ]
        self.value = hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def recall(self, cache: Cache) -> str | None:
        """Return the digest of the bundle that was built from this very state, if it is remembered."""
        try:
            document = json.loads(cache.memo("fingerprints", self.key).read_text())
        except (FileNotFoundError, ValueError):
            return None
        return str(document["bundle"]) if document["value"] == self.value else None

    def remember(self, cache: Cache, digest: str) -> None:
        """Record that this state gives the bundle `digest`, unless a file was too young to be sure."""
        if self._settled:
            document = json.dumps({"value": self.value, "bundle": digest})
            cache.write(cache.memo("fingerprints", self.key), document)


def _state(path: Path) -> tuple[int, int, int, int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116 - one call for each file of the project
    except FileNotFoundError:
        return (-1, 0, 0, 0, 0)
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_mode)
