"""The whole life of a function by `preheat` itself, with another client of Modal than beside the tests.

That is the oldest supported one; `make test-modal-matrix` takes the newest too. Containers run the client
that deployed them.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.modal.account import SETTINGS
from tests.fakes.modal.plane import ControlPlane
from tests.fakes.modal.versions import VARIABLE, ClientProgram, client_program

LETTERS = Path(__file__).parent / "deploying" / "projects" / "letters"
PREHEAT = ("-c", "import sys; from preheat.cli.main import main; sys.exit(main())")
OPTIONS = """
[weights.grams]
source = "file:grams"

[provider.modal]
packages = "upload"
"""


@dataclass(frozen=True)
class Shell:
    """A user's, in the folder of the project `letters`, with one version of Modal's client."""

    program: ClientProgram
    folder: Path

    def __call__(self, command: str, *arguments: str, code: int = 0) -> Any:
        """Run `preheat command arguments --provider modal --json`; return what it prints."""
        line = (command, *arguments, "--provider", "modal", "--json")
        return json.loads(self.program.run(*PREHEAT, *line, folder=self.folder, code=code).splitlines()[-1])

    def invoke(self, text: str, *more: str, code: int = 0) -> str:
        """Send a request; return what is printed."""
        asked = ("invoke", "letters", "--provider", "modal", "--data", json.dumps(text), *more)
        return self.program.run(*PREHEAT, *asked, folder=self.folder, code=code).strip()

    def edit(self, old: str, new: str) -> None:
        """Change the handler."""
        handler = self.folder / "handler.py"
        handler.write_text(handler.read_text().replace(old, new))


@pytest.fixture
def shell(control_plane: ControlPlane, tmp_path: Path) -> Shell:
    folder = Path(shutil.copytree(LETTERS, tmp_path / "letters"))
    (folder / "grams").mkdir()
    (folder / "grams" / "one.bin").write_bytes(bytes(3000))
    toml = folder / "preheat.toml"
    toml.write_text(SETTINGS + toml.read_text() + OPTIONS)
    variables = {**control_plane.environment(tmp_path), "PREHEAT_HOME": str(tmp_path / "home")}
    return Shell(client_program(variables, os.environ.get(VARIABLE, "oldest")), folder)


def test_a_predict_that_nothing_stops_is_answered_and_costs_its_container(
    shell: Shell, control_plane: ControlPlane
) -> None:
    shell.edit("import preheat", "import time\n\nimport preheat")
    shell.edit("print(", "time.sleep(60 if text == 'stuck' else 0)\n        print(")
    toml = shell.folder / "preheat.toml"
    toml.write_text(toml.read_text().replace("timeout_s = 10", "timeout_s = 2"))
    shell("deploy")
    assert "504" in shell.invoke("stuck", code=1)
    first = control_plane.containers[0]
    control_plane.until(lambda: first.exit_code is not None)
    assert any("taking no more requests" in line for line in first.lines)
    assert not any("Modal was not told" in line for line in first.lines)
    assert shell.invoke("abc") == "3"


def test_a_function_lives_its_whole_life(shell: Shell, control_plane: ControlPlane) -> None:
    first = shell("deploy")
    assert (first["release"], first["changed"], bool(first["token"])) == (1, True, True)
    assert shell("deploy")["changed"] is False
    assert shell.invoke("abc") == "3"

    shell.edit("len(text)", "len(text) * 2")
    assert shell("plan", "--exit-code", code=2)["changes"][0]["kind"] == "modal.Image"
    assert shell("deploy")["release"] == 2
    assert shell.invoke("abc") == "6"

    assert shell("rollback", "letters")["release"] == 1
    assert shell.invoke("abc") == "3"
    assert shell("promote", "letters")["release"] == 2
    assert [each["number"] for each in shell("releases", "letters")["releases"]] == [2, 1]

    assert shell("warm", "set", "1", "letters", "--live")["pool"]["min"] == 1
    assert shell("warm", "show", "letters")["workers"] == 1
    job = shell.invoke("four", "--async")
    control_plane.until(lambda: any(job in line for each in control_plane.containers for line in each.lines))
    assert shell("status", "letters")["requests"] >= 1
    assert any(each["message"].startswith("counting") for each in shell("logs", "letters")["events"])

    assert "app preheat-letters-dev" in shell("destroy", "letters", "--yes")["removed"]
    assert "not deployed" in shell.invoke("abc", code=1)
    assert control_plane.journal.unimplemented == []
