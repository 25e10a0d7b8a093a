"""A bundle to the image of its endpoint: built from the cache, pushed where ECR lacks it."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from preheat.bundle.cache import Cache
from preheat.bundle.model import Bundle
from preheat.errors import MissingExtra, ProviderError
from preheat.progress import Report
from preheat.project.model import Project
from preheat_providers.sagemaker.container import container_of
from preheat_providers.sagemaker.limits import IMAGE_BYTES
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.registry import Registry

if TYPE_CHECKING:
    from preheat.bundle.image.image import Image
    from preheat.bundle.image.push import Pushed
    from preheat.bundle.image.registry.registries import Registries

NEEDED = ("deflate", "httpx")


def demand_packages() -> None:
    """Raise MissingExtra unless what images need is installed."""
    for package in NEEDED:
        try:
            importlib.import_module(package)
        except ModuleNotFoundError as error:
            raise MissingExtra(
                f"Images need the package {package}.", hint="pip install 'preheat[aws]'"
            ) from error


def base_of(options: Options) -> str:
    """Return the base image. Raises ProviderError without one: `check` has said so before."""
    if options.base_image is None:
        raise ProviderError(
            "There is no image to build on.",
            hint='base_image = "REGISTRY/REPOSITORY:TAG"  # in [provider.sagemaker]',
        )
    return options.base_image


def tag_of(digest: str) -> str:
    """Return the tag of an image, which is never given to another one."""
    return digest.removeprefix("sha256:")[:32]


def check_size(image_bytes: int, options: Options) -> None:
    """Raise ProviderError for an image that is too large for its endpoint already while it is packed."""
    if options.mode == "serverless" and image_bytes > IMAGE_BYTES:
        raise ProviderError(
            f"The image has {image_bytes:,} bytes packed, and a serverless endpoint takes {IMAGE_BYTES:,} "
            "unpacked.",
            hint='mode = "async"  # in [provider.sagemaker]; weights = "s3" keeps them out of the image',
        )


@dataclass(frozen=True, slots=True)
class Imaging:
    """Builds and pushes over open connections to registries; `registry` is the account's."""

    registries: "Registries"
    registry: Registry
    cache: Cache
    report: Report

    def build(self, project: Project, bundle: Bundle, options: Options) -> "Image":
        """Return the image. Raises BundleError where its base does not fit."""
        from preheat.bundle.image.base import Bases
        from preheat.bundle.image.image import build_image, find_foundation

        bases = Bases(project.root, self.registries, self.cache, self.report)
        foundation = find_foundation(base_of(options), bundle.target, bases)
        # Schema 2: every version of everything on AWS reads it.
        image = build_image(
            bundle, foundation, container_of(project), cache=self.cache, report=self.report, dialect="docker"
        )
        check_size(image.bytes, options)
        return image

    def push(self, image: "Image", repository: str) -> "Pushed":
        """Store the image in the account's `repository`. Raises RegistryError."""
        from preheat.bundle.image.push import push_image
        from preheat.bundle.image.reference import Reference

        to = Reference(registry=self.registry.host, repository=repository, tag=tag_of(image.digest))
        return push_image(image, to, registries=self.registries, report=self.report)


@contextmanager
def imaging(
    registry: Registry, cache: Cache, report: Report, *, sleep: Callable[[float], None]
) -> Iterator[Imaging]:
    """Yield what builds and pushes images. Raises MissingExtra."""
    demand_packages()
    from preheat.bundle.image.registry.registries import Registries

    with cache.in_use(), Registries(registry, sleep=sleep) as registries:
        yield Imaging(registries, registry, cache, report)
