"""Everything to build images on a base in a fake registry, and to push them there."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.registry import Registry

from preheat.bundle.cache import Cache
from preheat.bundle.image.base import Bases
from preheat.bundle.image.container import Container
from preheat.bundle.image.image import Image, build_image, find_foundation
from preheat.bundle.image.media import Dialect
from preheat.bundle.image.reference import Reference, parse_reference
from preheat.bundle.image.registry.credentials import Logins, anonymous
from preheat.bundle.image.registry.registries import Registries
from preheat.bundle.image.registry.repository import Repository
from preheat.bundle.model import Bundle, Target
from preheat.progress import Event, quiet

CONTAINER = Container(command=("-I", "/opt/preheat/code/entry.py"), env={"MODE": "quick"})


@dataclass
class Bench:
    """One registry with a base, and everything to build on it and to push to it."""

    registry: Registry
    cache: Cache
    root: Path
    slept: list[float] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    logins: Logins = anonymous
    opened: list[Registries] = field(default_factory=list)

    @property
    def registries(self) -> Registries:
        self.opened.append(Registries(lambda host: self.logins(host), sleep=self.slept.append))
        return self.opened[-1]

    def named(self, name: str) -> Reference:
        return parse_reference(f"{self.registry.host}/{name}")

    def repository(self, name: str = "app") -> Repository:
        return self.registries.to_write(self.named(name))

    def bases(self, *, upgrade: bool = False) -> Bases:
        return Bases(self.root, self.registries, self.cache, self.events.append, upgrade=upgrade)

    def image(
        self,
        bundle: Bundle,
        base: str = "base",
        *,
        container: Container = CONTAINER,
        dialect: Dialect = "oci",
        target: Target | None = None,
    ) -> Image:
        foundation = find_foundation(f"{self.registry.host}/{base}", target or bundle.target, self.bases())
        return build_image(bundle, foundation, container, cache=self.cache, report=quiet, dialect=dialect)
