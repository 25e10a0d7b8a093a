"""What `preheat tune` and our loading gain: a float32 transformer of 90 MB, on Lambda's way of starting.

Three figures, each beside what onnxruntime does by itself with the same model in one file: from spawn to the
first correct answer, the session alone, and one call after the second session took over. The functions
beside ours are those of cold_function.py. Run: `python -m tests.bench.loading [ROUNDS]`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.cold_function import (
    EXAMPLE,
    FUNCTIONS,
    KNOWN,
    NAIVE,
    OURS,
    TUNED,
    WEB,
    Package,
    Peers,
    compared,
    deployed,
    edit,
    in_float32,
    packed,
)
from tests.bench.table import show
from tests.fakes.environments import python_with
from tests.fakes.lambda_emulator import CLIENT
from tests.fakes.lambda_events import version_2

from preheat.interface.threads import library_environment
from preheat.tuning.choice import EXACT
from preheat.tuning.cpu import processor
from preheat.tuning.variants import Settings

START_AIMS = ((NAIVE, "0.400"), (WEB, "0.280"), (TUNED, "1.000"))
DEFAULT, FOLDER = "onnxruntime's default", "preheat, tuned folder"


def in_folder(example: Package, model: Path, root: Path) -> Path:
    """Make a copy of the project of `example` in `root`, with `model` as `preheat tune` may bake it."""
    shutil.copytree(EXAMPLE, root)
    folder = root / "tuned" / "model"
    folder.mkdir(parents=True)
    _python(example, str(FUNCTIONS / "mapped.py"), str(model), str(folder))
    version = _python(example, "-c", "import onnxruntime; print(onnxruntime.__version__)").strip()
    unpacked = Settings(level="disable", packing=False).document()
    document = {
        "format": 1,
        "runtime": {"name": "onnxruntime", "version": version},
        "cpu": dict(processor()),
        "load": unpacked,
        "then": Settings(level="disable").document() | {"tolerance": EXACT},
        "safe": Settings().document(),
        "files": {path.name: path.stat().st_size for path in folder.iterdir()},
    }
    (folder / "tuned.json").write_text(json.dumps(document))
    edit(root / "preheat.toml", r'source = ".*model\.onnx"\nsha256 = .*', 'source = "file:tuned/model"')
    return root


def sessions(example: Package, model: Path, folder: Path, rounds: int) -> dict[str, list[float]]:
    """Make either session `rounds` times, each in a process of its own, in turn."""
    figures: dict[str, list[float]] = {DEFAULT: [], FOLDER: []}
    for number in range(rounds + 1):
        for name, what in ((DEFAULT, "default"), (FOLDER, "ours")):
            found = _sessions(example, what, model, folder)
            if number:
                figures[name].append(found["ms"])
    return figures


def steady(example: Package, model: Path, folder: Path, rounds: int) -> dict[str, list[float]]:
    """Return calls in a second of either session, both in one process, in `rounds` processes."""
    figures: dict[str, list[float]] = {DEFAULT: [], FOLDER: []}
    for _ in range(rounds):
        found = _sessions(example, "steady", model, folder)
        assert found["deviation from swap"] < EXACT
        assert found["deviation from default"] < EXACT
        figures[DEFAULT].append(1000 / found["default"])
        figures[FOLDER].append(1000 / found["ours"])
    return figures


def _sessions(example: Package, what: str, model: Path, folder: Path) -> dict[str, Any]:
    answer = _python(example, str(FUNCTIONS / "sessions.py"), what, str(model), str(folder))
    found: dict[str, Any] = json.loads(answer)
    return found


def _python(example: Package, *arguments: str) -> str:
    path = os.pathsep.join((str(example.libraries), str(example.unpacked.task)))
    env = {"PYTHONPATH": path, **library_environment(1)}
    done = subprocess.run([python_with(CLIENT), *arguments], env=env, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def main(rounds: int = 15) -> None:
    """Print the tables."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["PREHEAT_HOME"] = str(folder / "home")
        event = folder / "event.json"
        body = json.dumps({"text": KNOWN["text"]}).encode()
        event.write_text(json.dumps(version_2("/invocations", body, {"content-type": "application/json"})))
        example = packed(Path(shutil.copytree(EXAMPLE, folder / "project")), folder / "int8")
        plain = packed(in_float32(example, folder / "plain", beside=False), folder / "one")
        model = plain.weight("model.onnx")
        ours = packed(in_folder(example, model, folder / "folder"), folder / "tuned")
        contenders = Peers(folder, example.libraries).beside(plain)
        contenders[OURS] = deployed(ours)
        figures = compared(contenders, event, rounds)
        for baseline, aim in START_AIMS:
            title = f"Start of a tuned 90 MB model: spawn -> first correct answer, beside: {baseline}"
            show(title, figures, baseline=baseline, unit="ms", aims={OURS: aim})
        tuned = ours.weight("model.onnx").parent
        made = sessions(example, model, tuned, rounds)
        show("Making the session alone", made, baseline=DEFAULT, unit="ms", aims={FOLDER: "0.200"})
        called = steady(example, model, tuned, max(3, rounds // 3))
        title = "Calls after the swap, one of 12 tokens at a time"
        show(title, called, baseline=DEFAULT, unit="calls/s", aims={FOLDER: "0.980"})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
