"""What Modal mounts into every container: its own client at /pkg and the client's pins at /__modal/deps.

The user's packages come first: /__modal/deps is appended to the path by a sitecustomize.py, as in the
client's own `_create_single_client_dependency_mount` (modal/mount.py of 1.6.4).
"""

import fcntl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import uv
from tests.fakes.modal.images import CACHE
from tests.fakes.modal.jail import Bind
from tests.fakes.modal.recipe import PYTHON
from tests.fakes.modal.state import BUILDER

from preheat.bundle.interpreter import base_interpreter

PREFIX = "modal-client-mount-"
"""How the global mount of a client begins; its version follows."""
CUSTOMIZE = "import sys; sys.path.append('/__modal/deps')\n"


@dataclass(frozen=True)
class ClientMount:
    """Two folders of one version of the client."""

    folder: Path

    def binds(self) -> tuple[Bind, ...]:
        """Return where containers see them."""
        package = Bind(self.folder / "pkg", "/pkg", read_only=True)
        return package, Bind(self.folder / "deps", "/__modal/deps", read_only=True)


def client_mount(version: str, cache: Path = CACHE) -> ClientMount:
    """Return the mount of that client, made once and kept."""
    folder = cache / f"client-{version}-{BUILDER}-{PYTHON}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _install(folder / "all", f"modal=={version}")
            package = folder / "pkg"
            _install(package, "--no-deps", f"modal=={version}", f"synchronicity=={_pinned(folder / 'all')}")
            _install(folder / "deps", "--no-deps", *_pins(package / "modal" / "builder" / f"{BUILDER}.txt"))
            (package / "sitecustomize.py").write_text(CUSTOMIZE)
            (folder / "complete").touch()
    return ClientMount(folder)


def _pins(path: Path) -> list[str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    # Any certifi does: it is certificates only, its pin is of last month, and mirrors lag behind.
    return ["certifi" if line.startswith("certifi==") else line for line in lines]


def _pinned(everything: Path) -> str:
    (found,) = everything.glob("synchronicity-*.dist-info")
    return found.name.removeprefix("synchronicity-").removesuffix(".dist-info")


def _install(target: Path, *arguments: str) -> None:
    install = [uv.find_uv_bin(), "pip", "install", "--quiet", "--compile-bytecode"]
    where = ["--python", str(base_interpreter()), "--target", str(target)]
    subprocess.run([*install, *where, *arguments], check=True)
