"""Bundles laid by hand whose workers can be rehearsed, and a provider in memory that has them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.bundle import FakeBuild
from tests.fakes.local import lay_bundle
from tests.fakes.provider import InMemoryProvider

from preheat.bundle.model import Bundle, Target
from preheat.progress import Report
from preheat.project.model import Project
from preheat.provider.rehearsal import Rehearsal
from preheat_providers.local.provider import LocalProvider

UPPER = """
    import preheat

    class Model(preheat.Handler):
        def examples(self):
            return ["a"]

        def predict(self, text: str) -> str:
            return text.upper()
"""
Lay = Callable[[Path], None]


def nothing(_: Path) -> None:
    """Lay no packages."""


@dataclass
class LaidBuild(FakeBuild):
    """A bundle stage that lays `source` with `packages`; the example is a string."""

    root: Path
    source: str = UPPER
    packages: Lay = nothing
    contract: dict[str, Any] = field(default_factory=lambda: {"examples": ["a"]})

    def __call__(self, project: Project, target: Target, *, report: Report, upgrade: bool = False) -> Bundle:
        return self.bundle(project)

    def bundle(self, project: Project) -> Bundle:
        """Return the bundle."""
        made = lay_bundle(self.root, self.source, LocalProvider(), project, **self.contract)
        self.packages(made.layer("dependencies").path)
        return made


class RehearsingProvider(InMemoryProvider):
    """A provider in memory whose workers are those of this machine; its releases run from the cache."""

    def __init__(self) -> None:
        super().__init__("local", runs_from_cache=True)

    def target(self, project: Project) -> Target:
        return LocalProvider().target(project)

    def rehearsal(self, bundle: Bundle, project: Project) -> Rehearsal:
        return LocalProvider().rehearsal(bundle, project)
