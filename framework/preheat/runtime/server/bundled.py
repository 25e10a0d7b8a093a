"""A bundle on disk and how it is to be served: what every process of a server works from."""

from dataclasses import dataclass, replace
from pathlib import Path

from preheat.interface.manifest import Manifest
from preheat.runtime.beginning import Place
from preheat.runtime.server.config import Config


@dataclass(frozen=True, slots=True)
class Bundled:
    """`cpus` is one process's share of the processors; `tmp` is its scratch folder, once it has one."""

    config: Config
    manifest: Manifest
    cpus: float
    tmp: Path = Path()

    def within(self, tmp: Path) -> "Bundled":
        """Return the same with the scratch folder `tmp`."""
        return replace(self, tmp=tmp)

    @property
    def place(self) -> Place:
        """Where the handler runs."""
        return Place(
            code=self.config.code,
            weights=self.config.weights,
            name=self.manifest.name,
            stage=self.config.stage,
            provider=self.config.provider,
            release=self.config.release,
            tmp=self.tmp,
            cpus=self.cpus,
        )
