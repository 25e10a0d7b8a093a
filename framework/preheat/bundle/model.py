"""A bundle as frozen data: where it must run, the layers it is made of, and what they weigh."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

LayerName = Literal["dependencies", "weights", "code"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The machine a bundle is for.

    `platform` is a name of `uv --python-platform` (such as `x86_64-manylinux_2_28`), `python` is
    `3.12`. `entry` lists the provider's modules that ship beside the runtime, and
    `requirements` what those need. `unzipped_limit` is the platform's bound in bytes; the layers in
    `apart` reach it by another way and do not count. `smaller` says how to stay below the bound.
    """

    provider: str
    platform: str
    python: str
    entry: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    unzipped_limit: int | None = None
    apart: tuple[LayerName, ...] = ()
    smaller: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One content-addressed folder. `digest` is `sha256:HEX` over its sorted paths, modes and contents."""

    name: LayerName
    digest: str
    bytes: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much one package, weight or the user's code weighs unzipped; `layer` says where."""

    layer: LayerName
    name: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A project's bytes for one target. `path` is the folder that holds its record.

    `contract` is the handler's contract document, as `preheat.interface.contract` describes it,
    or None when the target is not this machine and the handler could not be run here.
    """

    digest: str
    target: Target
    layers: tuple[Layer, ...]
    sizes: tuple[Size, ...]
    path: Path
    cached: bool
    contract: Mapping[str, Any] | None

    @property
    def unzipped_bytes(self) -> int:
        """What the layers weigh together, in bytes, without those that go apart."""
        return sum(layer.bytes for layer in self.layers if layer.name not in self.target.apart)

    def layer(self, name: LayerName) -> Layer:
        """Return the layer called `name`."""
        return next(layer for layer in self.layers if layer.name == name)
