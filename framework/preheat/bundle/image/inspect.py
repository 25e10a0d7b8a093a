"""What an image is, wherever it is: in a registry, or in a folder that `--output` wrote."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preheat.bundle.image.blob import digest_of
from preheat.bundle.image.document import Descriptor, Index, Platform, read_image, read_object
from preheat.bundle.image.export import INDEX, LAYOUT
from preheat.bundle.image.reference import Reference
from preheat.bundle.image.registry.registries import Registries
from preheat.errors import BundleError


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An image as it was found. `config` is its configuration, `platforms` what its name offers."""

    name: str
    digest: str
    media_type: str
    config: dict[str, Any]
    layers: tuple[Descriptor, ...]
    platforms: tuple[Platform, ...]

    @property
    def bytes(self) -> int:
        """What its layers weigh compressed."""
        return sum(layer.size for layer in self.layers)


def inspect_remote(reference: Reference, platform: Platform, registries: Registries) -> Found:
    """Return what `reference` is on `platform`. Raises BundleError if it is not made for it."""
    repository = registries.to_read(reference)
    fetched = repository.manifest(reference.version)
    image = read_image(fetched.body, fetched.media_type, str(reference))
    platforms: tuple[Platform, ...] = ()
    if isinstance(image, Index):
        platforms = tuple(offered for offered, _ in image.manifests if offered.os != "unknown")
        chosen = next((each for offered, each in image.manifests if offered == platform), None)
        if chosen is None:
            there = ", ".join(map(str, platforms))
            raise BundleError(f"{reference} is not made for {platform}; it is for {there}.")
        fetched = repository.manifest(chosen.digest)
        image = read_image(fetched.body, fetched.media_type, str(reference))
    if isinstance(image, Index):
        raise BundleError(f"{reference} lists another list where an image should be.")
    config = read_object(repository.small_blob(image.config), f"The configuration of {reference}")
    return Found(
        name=str(reference),
        digest=fetched.digest,
        media_type=fetched.media_type,
        config=config,
        layers=image.layers,
        platforms=platforms,
    )


def inspect_layout(folder: Path) -> Found:
    """Return what the image layout in `folder` holds, each document checked. Raises BundleError."""
    if not (folder / LAYOUT).is_file():
        raise BundleError(f"{folder} is no image layout: it has no file {LAYOUT}.")
    index = read_image((folder / INDEX).read_bytes(), "", str(folder / INDEX))
    if not isinstance(index, Index) or len(index.manifests) != 1:
        raise BundleError(f"{folder} does not hold exactly one image.")
    descriptor = index.manifests[0][1]
    image = read_image(_document(folder, descriptor), descriptor.media_type, str(folder))
    if isinstance(image, Index):
        raise BundleError(f"{folder} holds an image for several platforms.")
    return Found(
        name=str(folder),
        digest=descriptor.digest,
        media_type=descriptor.media_type,
        config=read_object(_document(folder, image.config), f"The configuration in {folder}"),
        layers=image.layers,
        platforms=(),
    )


def _document(folder: Path, descriptor: Descriptor) -> bytes:
    path = folder / "blobs" / "sha256" / descriptor.digest.removeprefix("sha256:")
    try:
        body = path.read_bytes()
    except FileNotFoundError as exc:
        raise BundleError(f"{folder} lacks {descriptor.digest}.", hint="Export it again.") from exc
    if digest_of(body) != descriptor.digest:
        raise BundleError(f"{path} is damaged.", hint="Export it again.")
    return body
