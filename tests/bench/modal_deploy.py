"""What a deploy to Modal takes and sends: nothing changed, and an edit of the handler.

Whole commands, on the control plane of the tests, beside `modal deploy` of a hand-written app that has
not changed either. The plane answers at once, so what is measured is the machine that deploys.
Run: `python -m tests.bench.modal_deploy [ROUNDS]`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from modal_proto import api_pb2
from tests.bench.table import show
from tests.fakes.modal.account import SETTINGS
from tests.fakes.modal.harbour import NOT_FOR_OTHERS
from tests.fakes.modal.plane import ControlPlane

from preheat.project.scaffold import scaffold

HAND_WRITTEN = Path(__file__).parent / "modal" / "bare_app.py"
PREHEAT = Path(sys.executable).with_name("preheat")
THEIRS = "modal deploy, hand-written, nothing changed"
UNCHANGED = "preheat deploy, nothing changed"
EDITED = "preheat deploy, an edit of the handler"


class Machine:
    """One that deploys to `plane`; its projects are below `folder`."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self._plane = plane
        self._folder = folder
        kept = {name: value for name, value in os.environ.items() if name not in NOT_FOR_OTHERS}
        self._env = kept | plane.environment(folder) | {"PREHEAT_HOME": str(folder / "home")}

    def prepare(self) -> None:
        """Deploy everything once."""
        scaffold("small", "minimal", self._project)
        toml = self._project / "preheat.toml"
        toml.write_text(SETTINGS + toml.read_text())
        shutil.copy(HAND_WRITTEN, self._folder)
        (self._folder / "requirements.txt").write_text("")
        for name in (THEIRS, UNCHANGED):
            self.deploy(name)

    def deploy(self, name: str) -> tuple[float, int]:
        """Return how long the command took, in seconds, and how many bytes of files it has sent."""
        if name == EDITED:
            handler = self._project / "handler.py"
            handler.write_text(handler.read_text().replace('"Hello', '"Hello '))
        before, begun = len(self._plane.journal.entries), time.perf_counter()
        subprocess.run(self._command(name), env=self._env, cwd=self._folder, check=True, capture_output=True)
        took = time.perf_counter() - begun
        asked = [entry.request for entry in self._plane.journal.entries[before:]]
        files = [each for each in asked if isinstance(each, api_pb2.MountPutFileRequest)]
        large = [each for each in asked if isinstance(each, api_pb2.BlobCreateRequest)]
        return took, sum(len(each.data) for each in files) + sum(each.content_length for each in large)

    def _command(self, name: str) -> Sequence[str]:
        if name == THEIRS:
            return sys.executable, "-m", "modal", "deploy", HAND_WRITTEN.name
        return str(PREHEAT), "deploy", str(self._project), "--provider", "modal"

    @property
    def _project(self) -> Path:
        return self._folder / "small"


def main(rounds: int = 8) -> None:
    """Print the table, and what was sent."""
    figures: dict[str, list[float]] = {}
    sent: dict[str, int] = {}
    with (
        tempfile.TemporaryDirectory(prefix="preheat-plane-") as kept,
        tempfile.TemporaryDirectory(prefix="preheat-bench-") as folder,
        ControlPlane(Path(kept)) as plane,
    ):
        machine = Machine(plane, Path(folder))
        machine.prepare()
        for number in range(rounds + 1):
            for name in (THEIRS, UNCHANGED, EDITED):
                took, size = machine.deploy(name)
                if number:
                    figures.setdefault(name, []).append(took * 1000)
                    sent[name] = max(size, sent.get(name, 0))
    titles = {name: f"{name}: {size:,} bytes sent" for name, size in sent.items()}
    shown = {titles[name]: values for name, values in figures.items()}
    aims = {titles[UNCHANGED]: "2000 ms"}
    show("A deploy to Modal", shown, baseline=titles[THEIRS], unit="ms", aims=aims)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
