"""Manifests, indexes and configurations. In: JSON of a registry, which nobody has checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from preheat.bundle.image.media import INDEXES, MANIFESTS
from preheat.bundle.image.reference import DIGEST
from preheat.errors import BundleError
from preheat.project.validator import broken_rules

LARGEST = 4 << 20
"""Bytes of a manifest or configuration; registries take no larger ones (distribution-spec 1.1)."""

_TEXTS = {"type": ["array", "null"], "items": {"type": "string"}}
_TABLE = {"type": ["object", "null"]}
_CONFIG = {
    "properties": {
        "created": {"type": ["string", "null"]},
        "config": {
            **_TABLE,
            "properties": {
                "User": {"type": ["string", "null"]},
                "Env": _TEXTS,
                "Entrypoint": _TEXTS,
                "Cmd": _TEXTS,
                "ExposedPorts": _TABLE,
                "Labels": {**_TABLE, "additionalProperties": {"type": "string"}},
            },
        },
        "rootfs": {"type": "object", "properties": {"diff_ids": _TEXTS}},
        "history": {"type": ["array", "null"], "items": {"type": "object"}},
    }
}
"""What is read of a configuration (image-spec 1.1, config.md); Docker writes null for what is empty."""


@dataclass(frozen=True, slots=True)
class Platform:
    """What runs an image, such as linux/arm64."""

    os: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.os}/{self.architecture}"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference to content: its type, its digest, its size in bytes."""

    media_type: str
    digest: str
    size: int

    def to_json(self) -> dict[str, Any]:
        """Return it as manifests hold it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image for one platform."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """One image for several platforms."""

    manifests: tuple[tuple[Platform, Descriptor], ...]


def to_bytes(document: Mapping[str, Any]) -> bytes:
    """Return `document` as the same bytes each time."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def read_object(body: bytes, what: str) -> dict[str, Any]:
    """Return `body` as a JSON object. Raises BundleError."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise BundleError(f"{what} is no JSON: {exc}.") from exc
    if not isinstance(document, dict):
        raise BundleError(f"{what} is no JSON object.")
    return document


def read_image(body: bytes, media_type: str, what: str) -> Manifest | Index:
    """Read a manifest or an index. Raises BundleError for anything else, naming it `what`."""
    document = read_object(body, what)
    media_type = document.get("mediaType") or media_type
    try:
        if media_type in INDEXES:
            return Index(tuple(_entry(each) for each in document["manifests"]))
        if media_type in MANIFESTS:
            layers = tuple(_descriptor(each) for each in document["layers"])
            return Manifest(_descriptor(document["config"]), layers)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise BundleError(f"{what} is a broken manifest: {exc!r}.") from exc
    raise BundleError(
        f"{what} is of the type {media_type}, which is no image that can be built on.",
        hint="Choose an image in OCI format or Docker's schema 2, as every engine of the last years makes.",
    )


def read_config(body: bytes, what: str) -> dict[str, Any]:
    """Return the configuration of the image `what` as it is. Raises BundleError where a type is wrong."""
    what = f"The configuration of {what}"
    document = read_object(body, what)
    for broken in broken_rules(document, _CONFIG):
        kinds = broken.limit if isinstance(broken.limit, list) else [broken.limit]
        raise BundleError(
            f"{what} is broken: {'.'.join(map(str, broken.path))} is no {' or '.join(kinds)}.",
            hint="Choose another image, or have it built anew.",
        )
    return document


def diff_ids(config: Mapping[str, Any], what: str) -> tuple[str, ...]:
    """Return the digests of a configuration's unpacked layers, the lowest first. Raises BundleError."""
    found = config.get("rootfs", {}).get("diff_ids")
    if found is None:
        raise BundleError(f"The configuration of {what} does not list its layers.")
    return tuple(found)


def _entry(value: Mapping[str, Any]) -> tuple[Platform, Descriptor]:
    platform = value.get("platform") or {}
    return Platform(str(platform.get("os")), str(platform.get("architecture"))), _descriptor(value)


def _descriptor(value: Mapping[str, Any]) -> Descriptor:
    digest, size = value["digest"], value["size"]
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise ValueError(f"{digest!r} is no SHA-256 digest")
    if not isinstance(size, int) or size < 0:
        raise ValueError(f"{size!r} is no size")
    return Descriptor(str(value.get("mediaType", "")), digest, size)
