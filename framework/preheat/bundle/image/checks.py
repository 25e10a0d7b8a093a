"""Whether a bundle can run on a base, known before anything is packed. Each mistake comes with its fix."""

import re
from collections.abc import Iterator
from pathlib import Path

from preheat.bundle.image.base import Base
from preheat.bundle.image.document import Platform
from preheat.bundle.image.elf import needed_libraries
from preheat.bundle.image.facts import Facts
from preheat.bundle.model import Bundle, Target
from preheat.errors import BundleError

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
TARGETS = {f"linux/{name}": f"{machine}-manylinux_2_28" for machine, name in MACHINES.items()}
"""What wheels are chosen for on each platform of images; glibc 2.28 is of 2018 (Debian 10, RHEL 8)."""

_USUAL_FOLDERS = ("/usr/local/bin", "/usr/bin", "/bin")


def default_base(python: str) -> str:
    """Return the base of a project that names none."""
    return f"python:{python}-slim"


def platform_of(target: Target) -> Platform:
    """Return what images call the platform of `target`. Raises BundleError for one that no image has."""
    machine = MACHINES.get(target.platform.partition("-")[0])
    if machine is None or "manylinux" not in target.platform:
        raise BundleError(
            f"A bundle for {target.platform} fits no image.", hint=f"Build for one of: {', '.join(TARGETS)}"
        )
    return Platform("linux", machine)


def check_platform(base: Base, platform: Platform) -> None:
    """Raise BundleError if `base` is made for another platform; its configuration says so."""
    if base.platform != platform:
        raise BundleError(
            f"{base.reference} is for {base.platform}, and the bundle is for {platform}.",
            hint=f"Choose a base for {platform}, or build for the base: --platform {base.platform}",
        )


def find_python(base: Base, facts: Facts, target: Target) -> str:
    """Return the path of the base's Python. Raises BundleError where it or the C library does not fit."""
    name, wanted = str(base.reference), target.python
    better = f"--base {default_base(wanted)}"
    found = facts.pythons.get(wanted)
    if not found:
        others = ", ".join(sorted(facts.pythons))
        has = f"has Python {others}" if others else "has no Python"
        hint = better
        if others:
            hint += f'   or, in preheat.toml: python = "{max(facts.pythons, key=_minor)}"'
        raise BundleError(f"{name} {has}, and the bundle is for Python {wanted}.", hint=hint)
    if wanted not in facts.complete:
        raise BundleError(
            f"{name} has {found[0]}, but not its standard library.",
            hint=f"{better}   or add it to the base: apt-get install libpython3-stdlib",
        )
    _check_libc(name, facts, target, better)
    folders = [*_path(base), *_USUAL_FOLDERS]
    return min(found, key=lambda path: _rank(path, folders))


def missing_libraries(bundle: Bundle, facts: Facts) -> dict[str, str]:
    """Return the shared libraries that neither base nor bundle has, each with a file that needs it."""
    files = [path for path in bundle.layer("dependencies").path.rglob("*.so*") if path.is_file()]
    there = {*facts.libraries, *(path.name for path in files)}
    root = bundle.layer("dependencies").path
    return {
        library: path.relative_to(root).as_posix()
        for path in sorted(files, reverse=True)
        for library in needed_libraries(path)
        if library not in there
    }


def _check_libc(name: str, facts: Facts, target: Target, better: str) -> None:
    found = re.search(r"manylinux_(\d+)_(\d+)", target.platform)
    wanted = (int(found[1]), int(found[2])) if found else (2, 17)
    if facts.glibc is None:
        library = "musl in place of glibc" if facts.musl else "no C library"
        raise BundleError(
            f"{name} has {library}; the packages of the bundle need glibc.",
            hint=f"{better}   (Debian, Ubuntu, RHEL and Amazon Linux have glibc; Alpine has not)",
        )
    if facts.glibc < wanted:
        raise BundleError(
            f"{name} has glibc {_dotted(facts.glibc)}, and the bundle needs {_dotted(wanted)}: its packages "
            "would not load.",
            hint=f"Take a newer base: {better}",
        )


def _path(base: Base) -> Iterator[str]:
    process = base.config.get("config") or {}
    for line in process.get("Env") or ():
        if line.startswith("PATH="):
            yield from line.removeprefix("PATH=").split(":")


def _rank(path: str, folders: list[str]) -> tuple[int, str]:
    folder = str(Path(path).parent)
    return (folders.index(folder) if folder in folders else len(folders)), path


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
