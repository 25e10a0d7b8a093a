"""Where a process runs, and the first step of its start: the user's class.

Imports next to nothing, so that a start can take this step before it imports the rest of the runtime: what
the handler's module opens at its top is made meanwhile. Reads the manifest's files and the weights.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from preheat.interface.handler import Context, Handler
from preheat.interface.importing import import_handler
from preheat.interface.manifest import Manifest
from preheat.interface.starting import START
from preheat.runtime.phases import PhaseClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a process runs: its layers, and what a handler's Context tells of the deployment."""

    code: Path
    weights: Path
    name: str
    stage: str
    provider: str
    release: str
    tmp: Path
    cpus: float

    def context(self, manifest: Manifest) -> Context:
        """Return the handler's Context."""
        return Context(
            name=self.name,
            stage=self.stage,
            provider=self.provider,
            release=self.release,
            weights={name: self.weights / path for name, path in manifest.weights.items()},
            tmp=self.tmp,
            cpus=max(1.0, self.cpus),
        )


def import_class(reference: str, context: Context, clock: PhaseClock) -> type[Handler]:
    """Import the handler `reference`, its weights read ahead meanwhile. Raises PhaseFailed."""
    with clock.phase("import"):
        read_ahead(context.weights)
        START.context = context
        return import_handler(reference).typed(context)


def read_ahead(weights: Mapping[str, Path]) -> None:
    """Ask the kernel to read `weights` into the page cache in the background."""
    for root in weights.values():
        for path in [root] if root.is_file() else (found for found in root.rglob("*") if found.is_file()):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                if hasattr(os, "posix_fadvise"):  # macOS has none
                    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
            finally:
                os.close(descriptor)
