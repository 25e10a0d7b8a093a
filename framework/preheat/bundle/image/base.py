"""The image that ours is built on: its name to a digest, the digest to one platform's manifest and its facts.

Documents are kept by their digest, so a second build asks the registry nothing. Layers stay where they are
until something needs them: a push mounts or copies them, an export fetches them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from preheat.bundle.cache import Cache
from preheat.bundle.image.blob import Checked, digest_of
from preheat.bundle.image.document import (
    Descriptor,
    Index,
    Manifest,
    Platform,
    diff_ids,
    read_config,
    read_image,
)
from preheat.bundle.image.facts import FactFinder, Facts
from preheat.bundle.image.media import GZIPPED, PLAIN
from preheat.bundle.image.overlay import gunzipped
from preheat.bundle.image.pins import read_pins, write_pin
from preheat.bundle.image.reference import Reference, parse_reference
from preheat.bundle.image.registry.registries import Registries
from preheat.bundle.image.registry.repository import Repository
from preheat.errors import BundleError
from preheat.progress import Amount, Report, Step

STAGE = "image"
FACTS_FORMAT = 2
"""Raised whenever other facts are looked for."""


@dataclass(frozen=True, slots=True)
class RemoteBlob:
    """Content in a repository."""

    repository: Repository
    digest: str
    size: int

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield what was asked for, from the registry."""
        return self.repository.read_blob(self.digest, offset, length)


@dataclass(frozen=True, slots=True)
class Base:
    """One platform of a base image. `reference` is pinned to what its name led to."""

    reference: Reference
    digest: str
    manifest: Manifest
    config: Mapping[str, Any]
    repository: Repository

    @property
    def platform(self) -> Platform:
        """What its configuration says that it runs on."""
        return Platform(str(self.config.get("os")), str(self.config.get("architecture")))

    def layers(self) -> tuple[tuple[Descriptor, RemoteBlob], ...]:
        """Return its layers, the lowest first."""
        return tuple(
            (each, RemoteBlob(self.repository, each.digest, each.size)) for each in self.manifest.layers
        )


class Reader(Protocol):
    """Takes layers, the lowest first."""

    def add(self, layer: Iterable[bytes]) -> None:
        """Read one, unpacked."""
        ...


class Bases:
    """Finds bases for the project in `root`. With `upgrade`, a tag is asked for anew."""

    def __init__(
        self, root: Path, registries: Registries, cache: Cache, report: Report, *, upgrade: bool = False
    ) -> None:
        self._root = root
        self._registries = registries
        self.cache = cache
        self.report = report
        self._upgrade = upgrade

    def find(self, name: str, platform: Platform) -> Base:
        """Return the base called `name` for `platform`, pinned. Raises BundleError without one."""
        reference = parse_reference(name)
        repository = self._registries.to_read(reference)
        reference = self._pinned(reference, repository)
        assert reference.digest is not None
        digest = reference.digest
        image = self._image(repository, digest, str(reference))
        if isinstance(image, Index):
            digest = _choose(image, platform, reference).digest
            image = self._image(repository, digest, str(reference))
        if isinstance(image, Index):
            raise BundleError(f"{reference} lists another list where an image should be.")
        config = read_config(self._config(repository, image.config), str(reference))
        if len(diff_ids(config, str(reference))) != len(image.layers):
            raise BundleError(f"The configuration of {reference} does not fit its layers.")
        return Base(reference, digest, image, config, repository)

    def facts(self, base: Base) -> Facts:
        """Return what is in `base`, read from its layers unless it is known."""
        memo = self.cache.memo("bases", f"{FACTS_FORMAT} {base.digest}")
        try:
            return Facts.from_json(json.loads(memo.read_text()))
        except FileNotFoundError:
            pass
        finder = FactFinder()
        self.read(base, finder)
        found = finder.facts()
        self.cache.write(memo, json.dumps(found.to_json()))
        return found

    def read(self, base: Base, reader: Reader) -> None:
        """Give `reader` the layers of `base`, from the registry."""
        total = sum(each.size for each in base.manifest.layers)
        done = 0
        for number, (layer, blob) in enumerate(base.layers(), start=1):
            reader.add(self._unpacked(layer, blob, number))
            done += layer.size
            self.report(Amount(STAGE, f"read {base.reference.repository}", done, total, "bytes"))

    def _pinned(self, reference: Reference, repository: Repository) -> Reference:
        if reference.digest is not None:
            return reference
        name = str(reference)
        digest = None if self._upgrade else read_pins(self._root).get(name)
        if digest is None:
            self.report(Step(STAGE, f"asking for {name}"))
            fetched = repository.manifest(reference.version)
            digest = fetched.digest
            self._keep(digest, fetched.media_type, fetched.body)
            write_pin(self._root, name, digest, self.cache)
        return reference.at(digest)

    def _image(self, repository: Repository, digest: str, what: str) -> Manifest | Index:
        kept = self._kept(digest)
        if kept is None:
            fetched = repository.manifest(digest)
            self._keep(digest, fetched.media_type, fetched.body)
            kept = fetched.media_type, fetched.body
        return read_image(kept[1], kept[0], what)

    def _config(self, repository: Repository, descriptor: Descriptor) -> bytes:
        kept = self._kept(descriptor.digest)
        if kept is not None:
            return kept[1]
        body = repository.small_blob(descriptor)
        self._keep(descriptor.digest, descriptor.media_type, body)
        return body

    def _kept(self, digest: str) -> tuple[str, bytes] | None:
        path = self.cache.memo("documents", digest)
        try:
            media_type, _, text = path.read_text(encoding="utf-8").partition("\n")
        except FileNotFoundError:
            return None
        body = text.encode()
        self.cache.used(path)
        return (media_type, body) if digest_of(body) == digest else None

    def _keep(self, digest: str, media_type: str, body: bytes) -> None:
        try:
            text = body.decode()
        except UnicodeDecodeError as exc:
            raise BundleError(f"{digest} is no JSON: {exc}.") from exc
        self.cache.write(self.cache.memo("documents", digest), f"{media_type}\n{text}")

    def _unpacked(self, layer: Descriptor, blob: RemoteBlob, number: int) -> Iterator[bytes]:
        self.report(Step(STAGE, f"reading layer {number} of the base"))
        pieces = Checked(blob).read(0, blob.size)
        if layer.media_type in GZIPPED:
            return gunzipped(pieces)
        if layer.media_type in PLAIN:
            return pieces
        raise BundleError(
            f"Layer {number} of the base has the type {layer.media_type}, which cannot be looked into.",
            hint="Choose a base whose layers are gzip, as nearly all are: --base python:3.12-slim",
        )


def _choose(index: Index, platform: Platform, reference: Reference) -> Descriptor:
    for offered, descriptor in index.manifests:
        if offered == platform:
            return descriptor
    there = sorted({str(offered) for offered, _ in index.manifests if offered.os != "unknown"})
    raise BundleError(
        f"{reference} is not made for {platform}; it is for {', '.join(there) or 'nothing'}.",
        hint="Choose another --base, or another --platform.",
    )
