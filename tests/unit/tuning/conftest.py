"""Projects with weights, and what was found about them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.fakes.perceptrons import write_mlp
from tests.fakes.projects import write_project

from preheat.bundle.cache import Cache
from preheat.bundle.interpreter import native_platform
from preheat.bundle.model import Target
from preheat.bundle.uv import Uv
from preheat.bundle.weights.fetch import Fetcher
from preheat.bundle.weights.http import Http
from preheat.progress import quiet
from preheat.project.config import load_project
from preheat.project.model import Project

Read = Callable[[str], Project]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PREHEAT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def cache(home: Path) -> Cache:
    return Cache(home / "cache")


@pytest.fixture
def target() -> Target:
    return Target(provider="local", platform=native_platform(), python="3.11")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    write_mlp(root / "models" / "m.onnx")
    return root


@pytest.fixture
def read(root: Path) -> Read:
    """Writes preheat.toml with the given weights and reads the project."""

    def project(toml: str) -> Project:
        write_project(root, toml)
        schemas: Mapping[str, Mapping[str, object]] = {}
        return load_project(root, "dev", provider_schemas=schemas)

    return project


@pytest.fixture
def fetcher(root: Path, target: Target, cache: Cache) -> Fetcher:
    return Fetcher(root, target, Uv(root), Http(), cache, quiet)
