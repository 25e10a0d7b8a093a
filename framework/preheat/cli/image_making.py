"""What `preheat image build` and `push` share: from options to an image that is built and not yet sent."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from preheat.bundle.model import Bundle, Target
from preheat.cli.boundary import interruptible
from preheat.cli.tools import Tools
from preheat.errors import ProjectError
from preheat.project.handler_source import look_at_handler
from preheat.project.model import Project

if TYPE_CHECKING:
    from preheat.bundle.image.container import Container
    from preheat.bundle.image.image import Foundation, Image
    from preheat.bundle.image.registry.registries import Registries
    from preheat.progress import Report

PROVIDER = "container"
REMAINS = "What was fetched and packed stays in the cache."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the options of build and push ask for."""

    directory: Path
    base: str | None
    platform: str
    dialect: Literal["oci", "docker"]
    user: str | None
    stage: str
    upgrade: bool


@dataclass(frozen=True, slots=True)
class Made:
    """What build and push have in their hands."""

    project: Project
    bundle: Bundle
    foundation: "Foundation"
    container: "Container"
    image: "Image"


@contextmanager
def making(tools: Tools, wanted: Wanted) -> "Iterator[tuple[Made, Registries, Report]]":
    """Yield what was built, while the registries are open and progress is drawn."""
    from preheat.bundle.cache import Cache
    from preheat.bundle.image.base import Bases
    from preheat.bundle.image.checks import default_base
    from preheat.bundle.image.container import USER, server_container
    from preheat.bundle.image.image import build_image, find_foundation
    from preheat.bundle.image.registry.credentials import DockerLogins
    from preheat.bundle.image.registry.registries import Registries
    from preheat.project.home import home

    cache = Cache(home() / "cache")
    with (
        interruptible(lambda: REMAINS),
        tools.screen.progress() as report,
        cache.in_use(),
        Registries(DockerLogins()) as registries,
    ):
        pipeline = tools.pipeline("local", wanted.stage, report, upgrade=wanted.upgrade)
        project = pipeline.project(wanted.directory)
        if findings := look_at_handler(project):
            raise ProjectError(f"{project.name} cannot become an image.", findings=findings)
        target = _target(project, wanted.platform)
        bases = Bases(project.root, registries, cache, report, upgrade=wanted.upgrade)
        foundation = find_foundation(wanted.base or default_base(target.python), target, bases)
        bundle = pipeline.build(project, target, report=report, upgrade=wanted.upgrade)
        container = server_container(project, user=wanted.user or USER)
        built = build_image(bundle, foundation, container, cache=cache, report=report, dialect=wanted.dialect)
        yield Made(project, bundle, foundation, container, built), registries, report


def _target(project: Project, platform: str) -> Target:
    from preheat.bundle.image.checks import TARGETS
    from preheat.bundle.serving import server_target

    python = project.python or f"{sys.version_info.major}.{sys.version_info.minor}"
    return server_target(provider=PROVIDER, platform=TARGETS[platform], python=python)
