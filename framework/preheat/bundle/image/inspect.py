"""What an image is, wherever it is: in a registry, or in a folder or archive that `--output` wrote."""

import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preheat.bundle.image.blob import digest_of
from preheat.bundle.image.document import Descriptor, Index, Platform, read_config, read_image
from preheat.bundle.image.export import INDEX, LAYOUT
from preheat.bundle.image.reference import Reference
from preheat.bundle.image.registry.registries import Registries
from preheat.errors import BundleError

Read = Callable[[str], bytes | None]
"""Returns the content of a file by its path in the layout, None where there is none."""


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
    config = read_config(repository.small_blob(image.config), str(reference))
    return Found(
        name=str(reference),
        digest=fetched.digest,
        media_type=fetched.media_type,
        config=config,
        layers=image.layers,
        platforms=platforms,
    )


def inspect_layout(path: Path) -> Found:
    """Return what the image layout in the folder or tar archive `path` holds, each document checked.

    Raises BundleError.
    """
    with _opened(path) as read:
        if read(LAYOUT) is None:
            raise BundleError(f"{path} is no image layout: it has no file {LAYOUT}.")
        index = read_image(_content(path, read, INDEX), "", f"{INDEX} of {path}")
        if not isinstance(index, Index) or len(index.manifests) != 1:
            raise BundleError(f"{path} does not hold exactly one image.")
        descriptor = index.manifests[0][1]
        image = read_image(_document(path, read, descriptor), descriptor.media_type, str(path))
        if isinstance(image, Index):
            raise BundleError(f"{path} holds an image for several platforms.")
        config = read_config(_document(path, read, image.config), str(path))
    return Found(
        name=str(path),
        digest=descriptor.digest,
        media_type=descriptor.media_type,
        config=config,
        layers=image.layers,
        platforms=(),
    )


@contextmanager
def _opened(path: Path) -> Iterator[Read]:
    if path.is_dir():
        yield lambda name: file.read_bytes() if (file := path / name).is_file() else None
        return
    try:
        with tarfile.open(path, "r:") as archive:
            files = {each.name.removeprefix("./"): each for each in archive if each.isreg()}

            def read(name: str) -> bytes | None:
                file = archive.extractfile(files[name]) if name in files else None
                return file.read() if file is not None else None

            yield read
    except tarfile.TarError as exc:
        raise BundleError(
            f"{path} is no archive of an image: {exc}.",
            hint="Name an image in a registry, or what --output wrote: a folder or a .tar.",
        ) from exc


def _content(path: Path, read: Read, name: str) -> bytes:
    body = read(name)
    if body is None:
        raise BundleError(f"{path} lacks {name}.", hint="Export it again.")
    return body


def _document(path: Path, read: Read, descriptor: Descriptor) -> bytes:
    name = f"blobs/sha256/{descriptor.digest.removeprefix('sha256:')}"
    body = _content(path, read, name)
    if digest_of(body) != descriptor.digest:
        raise BundleError(f"{name} of {path} is damaged.", hint="Export it again.")
    return body
