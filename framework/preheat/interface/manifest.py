"""What the bundle tells the runtime: written once by the build, read once when a process starts."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType

MANIFEST = "preheat-manifest.json"
"""The manifest's file name, at the root of the code layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what a caller may send and how long things may take."""

    body_bytes: int = 6 * 1024 * 1024
    depth: int = 64
    pixels: int = 50_000_000
    setup_s: float = 120.0
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The part of a project that the runtime needs.

    `weights` maps a name to its path relative to the weights layer.
    """

    name: str
    handler: str
    limits: Limits = field(default_factory=Limits)
    weights: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def to_json(self) -> str:
        """Return the manifest as JSON, the same text for the same manifest."""
        document = {
            "name": self.name,
            "handler": self.handler,
            "limits": asdict(self.limits),
            "weights": dict(self.weights),
        }
        return json.dumps(document, sort_keys=True, indent=1) + "\n"


def read_manifest(code: Path) -> Manifest:
    """Read the manifest at the root of the code layer `code`."""
    document = json.loads((code / MANIFEST).read_text())
    return Manifest(
        name=document["name"],
        handler=document["handler"],
        limits=Limits(**document["limits"]),
        weights=MappingProxyType(document["weights"]),
    )
