"""One home for the examples of a test run, and the command line as a user starts it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def environment(home: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, "PREHEAT_HOME": str(home), "PATH": path}


@pytest.fixture(scope="session")
def preheat(environment: dict[str, str]) -> Run:
    def run(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
        done = subprocess.run(["preheat", *arguments], env=environment, capture_output=True, cwd=EXAMPLES)
        assert done.returncode == 0, done.stderr.decode()
        return done

    return run


@pytest.fixture(scope="module")
def deployed(preheat: Run) -> Iterator[Callable[[str], None]]:
    names = []

    def deploy(name: str) -> None:
        preheat("deploy", name, "--provider", "local", "--yes", "--json")
        names.append(name)

    yield deploy
    for name in names:
        preheat("destroy", name, "--yes")
