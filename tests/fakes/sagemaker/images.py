"""The image of a project for SageMaker, made and pushed as a deploy does it, and its layers here."""

from dataclasses import dataclass
from pathlib import Path

from tests.fakes.containers import PYTHON

from preheat.bundle.build import build
from preheat.bundle.cache import Cache
from preheat.bundle.image.base import Bases
from preheat.bundle.image.image import build_image, find_foundation
from preheat.bundle.image.push import push_image
from preheat.bundle.image.reference import parse_reference
from preheat.bundle.image.registry.credentials import anonymous
from preheat.bundle.image.registry.registries import Registries
from preheat.bundle.interpreter import native_platform
from preheat.bundle.model import Bundle
from preheat.progress import quiet
from preheat.project.config import load_project
from preheat.project.home import home
from preheat_providers.sagemaker.container import container_of, container_target


@dataclass(frozen=True)
class Made:
    """What `preheat deploy` would have in its hands. `reference` names the image by its digest."""

    bundle: Bundle
    reference: str

    def layers(self, into: Path) -> Path:
        """Link the layers beside one another, as they lie in the image; return where the code is."""
        into.mkdir()
        for layer in self.bundle.layers:
            (into / layer.name).symlink_to(layer.path)
        return into / "code"


def make_image(root: Path, *, host: str, base: str) -> Made:
    """Build the project in `root` for the Python of `base`, and store its image in the registry at `host`.

    The cache is that of PREHEAT_HOME.
    """
    project = load_project(root, "dev", provider_schemas={})
    target = container_target(platform=native_platform(), python=PYTHON)
    cache = Cache(home() / "cache")
    with Registries(anonymous) as registries:
        bundle = build(project, target, report=quiet)
        foundation = find_foundation(base, target, Bases(root, registries, cache, quiet))
        image = build_image(bundle, foundation, container_of(project), cache=cache, report=quiet)
        push_image(image, parse_reference(f"{host}/{project.name}:dev"), registries=registries, report=quiet)
    return Made(bundle, f"{host}/{project.name}@{image.digest}")
