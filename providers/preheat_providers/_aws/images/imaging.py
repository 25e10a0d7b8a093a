"""A bundle to an image in the account's ECR: built from the cache, pushed where it is missing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from preheat.bundle.cache import Cache
from preheat.bundle.image.packages import require_packages
from preheat.bundle.model import Bundle, Target
from preheat.progress import Report
from preheat_providers._aws.images.registry import Reach, Registry
from preheat_providers._aws.session import Session

if TYPE_CHECKING:
    from preheat.bundle.image.container import Container
    from preheat.bundle.image.image import Foundation, Image
    from preheat.bundle.image.push import Pushed
    from preheat.bundle.image.reference import Reference
    from preheat.bundle.image.registry.registries import Registries


def tag_of(digest: str) -> str:
    """Return the tag of an image, which is never given to another one."""
    return digest.removeprefix("sha256:")[:32]


@dataclass(frozen=True, slots=True)
class Imaging:
    """Builds and pushes over open connections to registries; `registry` is the account's."""

    registries: "Registries"
    registry: Registry
    cache: Cache
    report: Report

    def foundation(self, root: Path, target: Target, *, base: str) -> "Foundation":
        """Return `base` with its digest pinned in `root`. Raises BundleError where it does not fit."""
        from preheat.bundle.image.base import Bases
        from preheat.bundle.image.image import find_foundation

        return find_foundation(base, target, Bases(root, self.registries, self.cache, self.report))

    def build(self, root: Path, bundle: Bundle, *, base: str, container: "Container") -> "Image":
        """Return the image of `bundle` on `base`. Raises BundleError where the base does not fit."""
        from preheat.bundle.image.image import build_image

        foundation = self.foundation(root, bundle.target, base=base)
        # Schema 2: every version of everything on AWS reads it.
        return build_image(
            bundle, foundation, container, cache=self.cache, report=self.report, dialect="docker"
        )

    def push(self, image: "Image", repository: str) -> "Pushed":
        """Store the image in the account's `repository`. Raises RegistryError."""
        from preheat.bundle.image.push import push_image

        return push_image(
            image, self._place(image, repository), registries=self.registries, report=self.report
        )

    def missing_bytes(self, image: "Image", repository: str) -> int:
        """Return how much of the image `repository` lacks, all of it where there is none yet.

        Raises RegistryError.
        """
        from preheat.bundle.image.push import missing_bytes

        return missing_bytes(image, self._place(image, repository), registries=self.registries)

    def _place(self, image: "Image", repository: str) -> "Reference":
        from preheat.bundle.image.reference import Reference

        return Reference(registry=self.registry.host, repository=repository, tag=tag_of(image.digest))


@contextmanager
def imaging(
    session: Session,
    environ: Mapping[str, str],
    cache: Cache,
    report: Report,
    *,
    reach: Reach,
) -> Iterator[Imaging]:
    """Yield what builds and pushes images; `environ` says where logins of other registries lie.

    Raises MissingExtra.
    """
    require_packages("aws")
    from preheat.bundle.image.registry.credentials import DockerLogins
    from preheat.bundle.image.registry.registries import Registries

    registry = Registry(session, DockerLogins(environ), reach)
    with cache.in_use(), Registries(registry) as registries:
        yield Imaging(registries, registry, cache, report)
