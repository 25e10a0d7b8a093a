"""Entry points without installed packages."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from preheat.provider.protocol import Provider
from preheat.provider.registry import Registry


@dataclass(frozen=True)
class FakeDistribution:
    name: str


@dataclass
class FakeEntryPoint:
    """Implements preheat.provider.registry.EntryPoint; `made` is what its callable returns or raises."""

    name: str
    made: Provider | BaseException
    extras: list[str] = field(default_factory=list)
    dist: FakeDistribution | None = field(default_factory=lambda: FakeDistribution("preheat"))
    loads: int = 0

    def load(self) -> Callable[[], Any]:
        self.loads += 1
        if isinstance(self.made, BaseException):
            raise self.made
        made = self.made
        return lambda: made


def registry_of(*providers: Provider) -> Registry:
    """Return a registry that knows `providers` by their names."""
    points = [FakeEntryPoint(provider.name, provider) for provider in providers]
    return Registry(lambda: points)
