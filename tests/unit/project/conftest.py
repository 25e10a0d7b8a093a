from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from preheat.errors import Located, ProjectError
from preheat.project.config import load_project
from preheat.project.model import Project

LOCAL: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"port": {"type": "integer", "minimum": 1024}, "zygote": {"enum": ["auto", "off"]}},
}
MODAL: Mapping[str, Any] = {
    "type": "object",
    "required": ["workspace"],
    "properties": {"workspace": {"$ref": "#/$defs/name"}},
    "$defs": {"name": {"type": "string", "examples": ["team"]}},
}
SCHEMAS = {"local": LOCAL, "modal": MODAL}
HEAD = 'name = "demo"\nhandler = "handler:Model"\n'

Load = Callable[..., Project]
Mistakes = Callable[..., tuple[Located, ...]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "handler.py").write_text("class Model: ...\n")
    return tmp_path


@pytest.fixture
def load(root: Path) -> Load:
    def load(toml: str = "", *, stage: str = "dev", head: str = HEAD) -> Project:
        (root / "preheat.toml").write_text(head + toml)
        return load_project(root, stage, provider_schemas=SCHEMAS)

    return load


@pytest.fixture
def mistakes(load: Load) -> Mistakes:
    def mistakes(toml: str = "", *, stage: str = "dev", head: str = HEAD) -> tuple[Located, ...]:
        with pytest.raises(ProjectError) as raised:
            load(toml, stage=stage, head=head)
        return raised.value.findings

    return mistakes
