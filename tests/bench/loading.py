"""What `preheat tune` and our loading gain for examples/embeddings, on Lambda's way of starting.

Its model in float32, 90 MB in one file, is tuned by the command itself. Three figures, each beside what
onnxruntime does with the model as it is: from spawn to the first correct answer, the session alone, and one
call after the second session took over. Then its own int8 model, tuned so that no bit of an answer changes.
The functions beside ours are those of cold_function.py. Run: `python -m tests.bench.loading [ROUNDS]`.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from tests.bench.cold_function import (
    AIMS,
    EXAMPLE,
    FUNCTIONS,
    NAIVE,
    OURS,
    TUNED,
    WEB,
    Package,
    Peers,
    compared,
    deployed,
    in_float32,
    packed,
    workplace,
)
from tests.bench.table import show
from tests.fakes.environments import python_with
from tests.fakes.lambda_emulator import CLIENT

from preheat.interface.threads import library_environment
from preheat.tuning.choice import EXACT

PREHEAT = Path(sys.executable).with_name("preheat")
START_AIMS = ((NAIVE, "0.400"), (WEB, "0.280"), (TUNED, "1.000"))
DEFAULT, FOLDER = "onnxruntime's default", "preheat, tuned folder"
UNTUNED = "preheat, not tuned"


def tune(root: Path, *arguments: str) -> Mapping[str, Any]:
    """Run `preheat tune` on the project in `root` and return its document."""
    done = subprocess.run([PREHEAT, "tune", root, "--json", *arguments], stdout=subprocess.PIPE, check=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def written(origin: Path, root: Path, *arguments: str) -> Path:
    """Make a tuned copy of the project `origin` in `root` and say what was chosen."""
    shutil.copytree(origin, root)
    chosen = tune(root, "--write", *arguments)["chosen"]
    Console().print(" ".join(["preheat tune --write", *arguments]) + f": {chosen}")
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
    path = os.pathsep.join((str(example.libraries), str(example.unpacked.task)))
    command = (python_with(CLIENT), FUNCTIONS / "sessions.py", what, model, folder)
    env = {"PYTHONPATH": path, **library_environment(1)}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def starts(peers: Peers, plain: Package, ours: Package, event: Path, rounds: int) -> dict[str, list[float]]:
    """Start the peers and ours with the model of `plain`, and ours as it was tuned, in turn."""
    contenders = peers.beside(plain)
    contenders[UNTUNED] = contenders[OURS]
    contenders[OURS] = deployed(ours)
    return compared(contenders, event, rounds)


def main(rounds: int = 9) -> None:
    """Print the tables."""
    with workplace() as (folder, event):
        example = packed(Path(shutil.copytree(EXAMPLE, folder / "project")), folder / "int8")
        peers = Peers(folder, example.libraries)
        root = in_float32(example, folder / "plain", beside=False)
        plain = packed(root, folder / "one")
        ours = packed(written(root, folder / "project-float32"), folder / "tuned")
        figures = starts(peers, plain, ours, event, rounds)
        for baseline, aim in START_AIMS:
            title = f"Start of a tuned 90 MB model: spawn -> first correct answer, beside: {baseline}"
            show(title, figures, baseline=baseline, unit="ms", aims={OURS: aim})
        model, tuned = plain.weight("model.onnx"), ours.weight("model.onnx").parent
        made = sessions(example, model, tuned, rounds)
        show("Making the session alone", made, baseline=DEFAULT, unit="ms", aims={FOLDER: "0.200"})
        called = steady(example, model, tuned, rounds)
        title = "Calls after the swap, one of 12 tokens at a time"
        show(title, called, baseline=DEFAULT, unit="calls/s", aims={FOLDER: "0.980"})
        same = packed(written(EXAMPLE, folder / "project-int8", "--tolerance", "0"), folder / "same")
        figures = starts(peers, example, same, event, rounds)
        for baseline, aim in AIMS:
            title = f"Start of examples/embeddings, tuned with --tolerance 0, beside: {baseline}"
            show(title, figures, baseline=baseline, unit="ms", aims={OURS: aim})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
