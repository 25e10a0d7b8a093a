"""A Python of the target's version on this machine: to compile byte-code with, and to run the bundle in.

Never the developer's virtual environment. Candidates are probed by running them, because the
shims of version managers are on PATH even for versions that they then refuse to start.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from preheat.bundle.model import Target

PROBE = (
    "import json,platform,sys;"
    "print(json.dumps([sys._base_executable or sys.executable,platform.python_version(),"
    "sys.implementation.name,sys.implementation.cache_tag]))"
)
PROBE_TIMEOUT_S = 10
VERSION_FOLDERS = (
    "~/.pyenv/versions",
    "~/.local/share/uv/python",
    "~/.local/share/mise/installs/python",
    "~/.asdf/installs/python",
    "/opt/python",
)
NAMED_PLATFORMS = {"linux": "x86_64-manylinux_2_28"}
UV_GLIBC_MINORS = (17, 28, *range(31, 41))
"""The manylinux_2_N that `uv --python-platform` knows."""
NAMED_GLIBC = {"manylinux2014": (2, 17), "manylinux2010": (2, 12), "unknown-linux-gnu": (2, 28)}


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython. `version` has three parts; `tag` is what its byte-code files are called after."""

    path: Path
    version: str
    tag: str


def base_interpreter() -> Path:
    """Return the interpreter that runs this, without the virtual environment around it."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable)


def find_interpreter(version: str) -> Interpreter | None:
    """Return an interpreter of `version` (such as `3.12`), of no virtual environment, or None."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        running = probe(base_interpreter(), version)
        if running is not None:
            return running
    return next((found for path in _candidates(version) if (found := probe(path, version))), None)


def probe(path: Path, version: str) -> Interpreter | None:
    """Run `path` and return what it is, or None if it does not start or is not CPython `version`."""
    try:
        answer = subprocess.run(
            [path, "-I", "-S", "-c", PROBE], capture_output=True, timeout=PROBE_TIMEOUT_S, check=True
        )
        executable, full, implementation, tag = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if implementation != "cpython" or full.split(".")[:2] != version.split("."):
        return None
    return Interpreter(Path(executable), full, tag)


def _candidates(version: str) -> Iterator[Path]:
    name = f"python{version}"
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if found := shutil.which(name, path=folder):
            yield Path(found)
    roots = [os.environ.get("UV_PYTHON_INSTALL_DIR"), os.environ.get("PYENV_ROOT", "") + "/versions"]
    for root in (*filter(None, roots), *VERSION_FOLDERS):
        yield from sorted(Path(root).expanduser().glob(f"*/bin/{name}"), reverse=True)


def native_platform() -> str:
    """Return what `uv --python-platform` calls this machine, by the version of its C library."""
    machine = platform.machine()
    if sys.platform == "darwin":
        return f"{'aarch64' if machine == 'arm64' else machine}-apple-darwin"
    name, version = platform.libc_ver()
    if name != "glibc":
        return f"{machine}-unknown-linux-musl"
    minor = int(version.split(".")[1])
    return f"{machine}-manylinux_2_{max(each for each in UV_GLIBC_MINORS if each <= minor)}"


def runs_here(target: Target) -> bool:
    """Say whether this machine can run what is built for `target`, given an interpreter of its version."""
    name = NAMED_PLATFORMS.get(target.platform, target.platform)
    architecture, _, system = name.partition("-")
    if sys.platform != "linux" or architecture != platform.machine():
        return False
    wanted = NAMED_GLIBC.get(system)
    if match := re.fullmatch(r"manylinux_(\d+)_(\d+)", system):
        wanted = int(match[1]), int(match[2])
    return wanted is not None and _glibc() >= wanted


def _glibc() -> tuple[int, int]:
    """Return the C library's version; (0, 0) where it is another library."""
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return 0, 0
    match = re.fullmatch(r"glibc (\d+)\.(\d+).*", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)
