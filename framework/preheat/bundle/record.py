"""A bundle's record in the cache: `bundle.json`, and `contract.json` once its handler ran here."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from preheat.bundle.cache import Cache
from preheat.bundle.model import Bundle, Layer, Size, Target

BUNDLE = "bundle.json"
CONTRACT = "contract.json"


def bundle_digest(target: Target, layers: Iterable[Layer]) -> str:
    """Return `sha256:HEX` over the target and the digests of the layers."""
    content = [
        target.platform,
        target.python,
        list(target.entry),
        [[layer.name, layer.digest] for layer in layers],
    ]
    return f"sha256:{hashlib.sha256(json.dumps(content).encode()).hexdigest()}"


def save_bundle(cache: Cache, bundle: Bundle) -> None:
    """Write the record of `bundle`, and its contract if it has one."""
    document = {
        "digest": bundle.digest,
        "target": asdict(bundle.target),
        "layers": [
            {"name": layer.name, "digest": layer.digest, "bytes": layer.bytes} for layer in bundle.layers
        ],
        "sizes": [asdict(size) for size in bundle.sizes],
    }
    cache.write(bundle.path / BUNDLE, json.dumps(document, indent=1) + "\n")
    if bundle.contract is not None:
        cache.write(bundle.path / CONTRACT, json.dumps(bundle.contract, indent=1) + "\n")


def load_bundle(cache: Cache, digest: str) -> Bundle | None:
    """Return the bundle called `digest` if its record and all its layers are in the cache."""
    folder = cache.bundle(digest)
    document = _read(folder / BUNDLE)
    if document is None:
        return None
    layers = tuple(
        Layer(
            name=layer["name"],
            digest=layer["digest"],
            bytes=layer["bytes"],
            path=cache.layer(layer["name"], layer["digest"]),
        )
        for layer in document["layers"]
    )
    if not all(layer.path.is_dir() for layer in layers):
        return None
    cache.used(folder, *(layer.path for layer in layers))
    known = document["target"]
    lists = {key: tuple(value) for key, value in known.items() if isinstance(value, list)}
    target = Target(**{**known, **lists})
    return Bundle(
        digest=digest,
        target=target,
        layers=layers,
        sizes=tuple(Size(**size) for size in document["sizes"]),
        path=folder,
        cached=True,
        contract=_read(folder / CONTRACT),
    )


def layers_of(cache: Cache, digest: str) -> tuple[Path, ...] | None:
    """Return the folders of the layers of the bundle called `digest`, or None without its record."""
    document = _read(cache.bundle(digest) / BUNDLE)
    if document is None:
        return None
    return tuple(cache.layer(layer["name"], layer["digest"]) for layer in document["layers"])


def _read(path: Path) -> Mapping[str, Any] | None:
    try:
        document: Mapping[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return document
