"""Virtual environments for the programs that tests start: made once, kept below .cache/."""

import fcntl
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import uv

from preheat.bundle.interpreter import base_interpreter

CACHE = Path(__file__).parents[2] / ".cache"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def python_with(*packages: str, compiled: bool = True) -> Path:
    """Return a Python that has `packages` and what they need, and nothing else.

    Where only a part of many modules is imported, such as of torch, byte-code is better left to Python.
    """
    name = hashlib.sha256(json.dumps([PYTHON, packages]).encode()).hexdigest()[:12]
    folder = CACHE / "environments" / name
    python, complete = folder / "bin" / "python", folder / "complete"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process of the same test run may want it too
        if not complete.exists():
            _make(folder, python, packages, compiled)
            complete.touch()
    return python


def _make(folder: Path, python: Path, packages: tuple[str, ...], compiled: bool) -> None:
    binary = uv.find_uv_bin()
    venv = ["venv", "--quiet", "--clear", "--python", str(base_interpreter()), str(folder)]
    subprocess.run([binary, *venv], check=True)
    install = ["pip", "install", "--quiet", *(["--compile-bytecode"] if compiled else []), "--python"]
    subprocess.run([binary, *install, str(python), *packages], check=True)
