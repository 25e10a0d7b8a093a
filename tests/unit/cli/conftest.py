from pathlib import Path

import pytest
from tests.fakes.command_line import CommandLine
from tests.fakes.projects import write_project


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PREHEAT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def root(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project called demo, which is the working directory."""
    root = write_project(tmp_path / "demo")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def cli() -> CommandLine:
    return CommandLine()


@pytest.fixture
def deployed(cli: CommandLine, root: Path) -> CommandLine:
    """The command line after a first deploy of demo."""
    assert cli("deploy").code == 0
    return cli
