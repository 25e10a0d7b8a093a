"""Clients of the oldest and the newest supported version, in environments of their own with this project."""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.environments import python_with
from tests.fakes.modal.images import CACHE

PROJECT = Path(__file__).parents[3]
VARIABLE = "TEST_MODAL_CLIENT"
"""Says which client the tests use: "oldest", "newest", or nothing for the one beside the tests."""
RESOLUTIONS = {"oldest": "lowest-direct", "newest": "highest"}
LONGEST_S = 240
NOT_INHERITED = ("PYTHONDONTWRITEBYTECODE", "PREHEAT_HOME", "PYTHONPATH")


@dataclass(frozen=True)
class ClientProgram:
    """The client under test as a program: `python` has this project and that version of `modal`."""

    python: Path
    env: Mapping[str, str]

    def run(self, *arguments: str, folder: Path, code: int = 0) -> str:
        """Run `python arguments` in `folder`; return what it writes. It must end with `code`."""
        done = subprocess.run(
            [self.python, *arguments],
            cwd=folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST_S,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def evaluate(self, script: str, *, folder: Path) -> Any:
        """Run a script whose last line of output is JSON; return that."""
        return json.loads(self.run("-c", script, folder=folder).splitlines()[-1])


def client_python(which: str) -> Path:
    """Return the Python of that client, made once for each state of pyproject.toml."""
    if not which:
        return Path(sys.executable)
    project = (PROJECT / "pyproject.toml").read_bytes()
    (modal,) = tomllib.loads(project.decode())["project"]["optional-dependencies"]["modal"]
    lines = f"{modal}\n--editable {PROJECT}[aws,modal]\n"
    digest = hashlib.sha256(project + lines.encode()).hexdigest()[:12]
    requirements = CACHE / f"project-{digest}.txt"
    requirements.parent.mkdir(parents=True, exist_ok=True)
    part = requirements.with_suffix(f".{os.getpid()}")  # uv of another process may be reading the file
    part.write_text(lines)
    part.replace(requirements)
    return python_with("--resolution", RESOLUTIONS[which], "--requirements", str(requirements))


def client_program(variables: Mapping[str, str], which: str | None = None) -> ClientProgram:
    """Return that client, or the one that the environment asks for; it runs with `variables`."""
    kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    python = client_python(os.environ.get(VARIABLE, "") if which is None else which)
    return ClientProgram(python, {**kept, **variables})
