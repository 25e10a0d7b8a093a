"""Where a process runs, and the first step of its start: the user's class.

Imports next to nothing, so that a start can take this step before it imports the rest of the runtime: what
the handler's module opens at its top is made meanwhile. Reads the manifest's files and the weights.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from preheat.interface.handler import Context, Handler, Weights
from preheat.interface.importing import import_handler
from preheat.interface.manifest import Manifest
from preheat.interface.starting import START
from preheat.runtime.phases import PhaseClock

if TYPE_CHECKING:
    from concurrent.futures import Future


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
            weights=Weights({name: self.weights / path for name, path in manifest.weights.items()}),
            tmp=self.tmp,
            cpus=max(1.0, self.cpus),
        )


class Arriving(Mapping[str, Path]):
    """Weights on their way: whoever asks where one is waits until `arrived` ends, and gets what it raises."""

    def __init__(self, weights: Mapping[str, Path], arrived: "Future[None]") -> None:
        self._weights = weights
        self._arrived = arrived

    def __getitem__(self, name: str) -> Path:
        path = self._weights[name]
        self._arrived.result()
        return path

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)

    def __contains__(self, name: object) -> bool:
        return name in self._weights


def import_class(
    reference: str, context: Context, clock: PhaseClock, arrived: "Future[None] | None" = None
) -> type[Handler]:
    """Import the handler `reference`, its weights read ahead meanwhile. Raises PhaseFailed.

    `arrived` is given where the weights are still on their way, and ends when they are there; what it raises
    is raised here. What the handler's module opens at its top waits for them beside the other imports.
    """
    with clock.phase("import"):
        if arrived is None:
            read_ahead(context.weights)
            START.context = context
            return import_handler(reference).typed(context)
        START.context = replace(context, weights=Arriving(context.weights, arrived))
        handler = import_handler(reference)
    arrived.result()
    START.context = context
    with clock.phase("import"):
        return handler.typed(context)


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
