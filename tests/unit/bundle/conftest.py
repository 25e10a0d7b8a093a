"""A home, a folder of wheels that uv alone sees, and projects."""

import platform
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.wheels import installed_wheel

from preheat.bundle.cache import Cache
from preheat.bundle.model import Target
from preheat.bundle.shipped import REQUIREMENTS
from preheat.bundle.uv import Uv
from preheat.project.model import Project

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
HANDLER = """import preheat


class Model(preheat.Handler):
    def predict(self, text: str) -> str:
        return text.upper()

    def examples(self) -> list[str]:
        return ["ab"]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("PREHEAT_HOME", str(folder))
    return folder


@pytest.fixture
def cache(home: Path) -> Cache:
    return Cache(home / "cache")


@pytest.fixture
def target() -> Target:
    name = f"{platform.machine()}-manylinux_2_28"
    entry = ("preheat_providers.local.entry",)
    return Target(provider="local", platform=name, python=PYTHON, entry=entry, requirements=REQUIREMENTS)


@pytest.fixture
def wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, with what the runtime needs; uv sees nothing else, and has its own cache."""
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    installed_wheel(folder, "orjson")
    settings = tmp_path / "uv.toml"
    settings.write_text(f'no-index = true\nfind-links = ["{folder}"]\n')
    monkeypatch.setenv("UV_CONFIG_FILE", str(settings))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "handler.py").write_text(HANDLER)
    return folder


@pytest.fixture
def uv(root: Path, wheelhouse: Path) -> Uv:
    return Uv(root)


@pytest.fixture
def make_project(root: Path, home: Path) -> Callable[..., Project]:
    def make(**fields: object) -> Project:
        known: dict[str, object] = {"root": root, "stage": "dev", "name": "demo", "handler": "handler:Model"}
        return Project(**{**known, **fields})  # type: ignore[arg-type]

    return make
