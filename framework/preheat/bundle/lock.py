"""Requirements to pins with hashes. In: the project's and the target's requirements. Out: preheat.lock.

preheat.lock stands beside preheat.toml and is committed. It holds one section for each platform
and Python, names no index, and is used as it is for as long as the requirements stay the same.
"""

import fcntl
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preheat.bundle.cache import Cache
from preheat.bundle.model import Target
from preheat.bundle.uv import Uv
from preheat.errors import BundleError

LOCK = "preheat.lock"
HEADER = (
    "# Written by `preheat build`; commit it. `preheat build --upgrade` takes newer versions.\nversion = 1\n"
)
REQUIREMENT = re.compile(r"(?:[A-Za-z0-9][\w.-]*(?:==\S+| @ \S+)|\.{0,2}/\S+)")
HASH = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pin:
    """One distribution: `requirement` is exact (`numpy==2.4.6`), `hashes` are of its files."""

    requirement: str
    hashes: tuple[str, ...]

    def lines(self) -> str:
        """Return the pin as a line of a requirements file."""
        return " ".join([self.requirement, *(f"--hash={digest}" for digest in self.hashes)])


@dataclass(frozen=True, slots=True)
class Section:
    """The pins for one platform and Python; `input` is the digest of what was asked for."""

    platform: str
    python: str
    input: str
    pins: tuple[Pin, ...]

    def checksum(self) -> str:
        """Return a digest of the section, which tells an edit from what was resolved."""
        content = [self.platform, self.python, self.input, [pin.lines() for pin in self.pins]]
        return f"sha256:{hashlib.sha256(json.dumps(content).encode()).hexdigest()}"


def lock(
    requirements: Sequence[str], target: Target, *, root: Path, uv: Uv, cache: Cache, upgrade: bool
) -> tuple[Pin, ...]:
    """Return the pins for `target`, resolving only what changed. Raises BundleError if nothing fits."""
    wanted = sorted({line.strip() for line in requirements})
    if not wanted:
        return ()
    asked = _input(wanted, target)
    path = root / LOCK
    known = next((section for section in read_lock(path) if _is_for(section, target)), None)
    if known is not None and known.input == asked and not upgrade:
        return known.pins
    with cache.staging() as staging:
        output = staging / "requirements.txt"
        output.write_text("".join(pin.lines() + "\n" for pin in known.pins) if known else "")
        resolved = uv.compile(wanted, target, output=output, upgrade=upgrade)
    section = Section(target.platform, target.python, asked, parse_pins(resolved))
    with _locked(root):
        others = [other for other in read_lock(path) if not _is_for(other, target)]
        _write(path, [*others, section])
    return section.pins


def parse_pins(text: str) -> tuple[Pin, ...]:
    """Read the requirements file that uv writes with `--generate-hashes`."""
    pins = []
    for line in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = line.strip().split(" --hash=")
        if requirement and not requirement.startswith("#"):
            pins.append(Pin(requirement.strip(), tuple(digest.strip() for digest in hashes)))
    return tuple(pins)


def read_lock(path: Path) -> tuple[Section, ...]:
    """Read preheat.lock; empty if there is none. Raises BundleError for one that preheat did not write."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise _broken(path, str(exc)) from exc
    if document.get("version") != 1:
        raise _broken(path, f"its version is {document.get('version')!r}, and this preheat writes 1")
    try:
        return tuple(_section(path, table) for table in document.get("target", []))
    except (KeyError, TypeError, AttributeError) as exc:
        raise _broken(path, f"a [[target]] lacks or misspells {exc}") from exc


def _section(path: Path, table: dict[str, Any]) -> Section:
    pins = tuple(Pin(pin["requirement"], tuple(pin["hashes"])) for pin in table["packages"])
    for pin in pins:
        if not REQUIREMENT.fullmatch(pin.requirement) or not all(map(HASH.fullmatch, pin.hashes)):
            raise _broken(path, f"{pin.requirement!r} is no exact requirement with SHA-256 hashes")
    section = Section(table["platform"], table["python"], table["input"], pins)
    if section.checksum() != table["checksum"]:
        raise _broken(path, f"the section for {section.platform}, Python {section.python} was edited by hand")
    return section


def _broken(path: Path, reason: str) -> BundleError:
    return BundleError(
        f"{path} cannot be used: {reason}.",
        hint=f"Restore it (git checkout {LOCK}), or delete it and run `preheat build` to resolve again.",
    )


def _input(wanted: list[str], target: Target) -> str:
    content = json.dumps([wanted, target.platform, target.python])
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def _is_for(section: Section, target: Target) -> bool:
    return (section.platform, section.python) == (target.platform, target.python)


def _write(path: Path, sections: list[Section]) -> None:
    text = HEADER
    for section in sorted(sections, key=lambda section: (section.platform, section.python)):
        text += "\n[[target]]\n"
        for name in ("platform", "python", "input"):
            text += f"{name} = {json.dumps(getattr(section, name))}\n"
        text += f"checksum = {json.dumps(section.checksum())}\npackages = [\n"
        for pin in section.pins:
            hashes = "".join(f"    {json.dumps(digest)},\n" for digest in pin.hashes)
            text += f"  {{ requirement = {json.dumps(pin.requirement)}, hashes = [\n{hashes}  ] }},\n"
        text += "]\n"
    # Beside the file and not in the cache, which may be on another file system.
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise BundleError(
            f"{path} could not be written: {exc.strerror}.",
            hint="It belongs beside preheat.toml; allow that.",
        ) from exc


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep two builds for different targets from losing each other's section."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
