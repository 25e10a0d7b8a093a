"""Pins to installed distributions, each in a folder of its own in the cache. In: pins. Out: files, hashed.

One call of uv installs everything that is missing; then each distribution is moved into a folder
of its own by its RECORD. A change of one requirement thus fetches, hashes and compiles that one.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from preheat.bundle.cache import Cache
from preheat.bundle.digest import File, read_files, safe_path
from preheat.bundle.lock import Pin
from preheat.bundle.model import Target
from preheat.bundle.symbols import without_symbols
from preheat.bundle.uv import Uv
from preheat.errors import BundleError

INDEX = "package.json"
FILES = "files"
LEAN = "lean"
FORMAT = 3
"""Raised whenever the same wheel would be stored otherwise."""

# What an installation leaves behind: paths, times and choices of this machine, nothing the model needs.
LEFT_BEHIND = re.compile(
    r"bin/.*|.*/__pycache__/.*|.*\.pyc"
    r"|[^/]+\.dist-info/(?:RECORD(?:\.\w+)?|INSTALLER|REQUESTED|direct_url\.json|uv_cache\.json|uv_build\.json)"
)


@dataclass(frozen=True, slots=True)
class Package:
    """One distribution as installed. `requires` names the distributions that its metadata mentions.

    Of these, `optional` are mentioned for extras alone, and of the others `extended` are wanted with an extra
    of their own.
    `lean` has those of its shared libraries that are smaller without what only debuggers read.
    """

    name: str
    version: str
    requires: frozenset[str]
    files: dict[str, File]
    lean: dict[str, File] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    extended: frozenset[str] = frozenset()

    def modules(self) -> frozenset[str]:
        """Return the top-level names it provides for import."""
        tops = (path.partition("/")[0] for path in self.files)
        return frozenset(top.partition(".")[0] for top in tops if not top.endswith(".dist-info"))


def normalised(name: str) -> str:
    """Return a distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_name(requirement: str) -> str:
    """Return the normalised name that a requirement starts with: PEP 508, or the path of a wheel."""
    if match := re.fullmatch(r"(?:[^@]*/)?([^/@]+?)-[^/@]+\.whl", requirement.strip()):
        return normalised(match[1])
    match = re.match(r"\s*([A-Za-z0-9][\w.-]*)", requirement)
    return normalised(match[1]) if match else ""


def with_extras(requirements: Iterable[str]) -> frozenset[str]:
    """Return the names of those requirements that ask for an extra: `uvicorn[standard]`."""
    return frozenset(requirement_name(line) for line in requirements if re.match(r"\s*[\w.-]+\s*\[", line))


def fetch(pins: Sequence[Pin], target: Target, *, uv: Uv, cache: Cache) -> tuple[Package, ...]:
    """Return the distributions of `pins` in order of their names, installing those the cache lacks."""
    folders = {pin: cache.package(_key(pin, target)) for pin in pins}
    missing = [pin for pin, folder in folders.items() if not (folder / INDEX).exists()]
    if missing:
        with cache.staging() as staging:
            _install(missing, folders, target, uv, cache, staging)
    cache.used(*folders.values())
    packages = sorted((_read(folder) for folder in folders.values()), key=lambda package: package.name)
    return tuple(_disjoint(packages))


def _disjoint(packages: list[Package]) -> Iterator[Package]:
    """Yield `packages` without the files that an earlier one has too."""
    seen: set[str] = set()
    for package in packages:
        files = {path: file for path, file in package.files.items() if path not in seen}
        lean = {path: file for path, file in package.lean.items() if path not in seen}
        seen.update(files)
        yield replace(package, files=files, lean=lean)


def _key(pin: Pin, target: Target) -> str:
    content = json.dumps([FORMAT, pin.requirement, sorted(pin.hashes), target.platform, target.python])
    return f"{requirement_name(pin.requirement)}-{sha256(content.encode()).hexdigest()}"


def _install(
    pins: list[Pin], folders: dict[Pin, Path], target: Target, uv: Uv, cache: Cache, staging: Path
) -> None:
    site = staging / "site"
    uv.install([pin.lines() for pin in pins], target, site)
    records = {record.parent: _recorded(record) for record in site.glob("*.dist-info/RECORD")}
    claims = Counter(path for paths in records.values() for path in paths)
    by_name = {_metadata(info).name: info for info in records}
    for number, pin in enumerate(pins):
        place, info = site, by_name.get(requirement_name(pin.requirement))
        if info is None or any(claims[path] > 1 for path in records[info]):
            # Two wheels hold the same file and uv let either win: install this one where it is alone.
            place = staging / f"alone-{number}"
            uv.install([pin.lines()], target, place)
            info = next(place.glob("*.dist-info"))
        _store(pin, info, place, staging / f"package-{number}", folders[pin], cache)


def _recorded(record: Path) -> list[str]:
    """Return the paths that a RECORD lists, without what is left behind. Raises if one escapes."""
    with record.open(newline="", encoding="utf-8") as file:
        paths = [row[0] for row in csv.reader(file) if row]
    return [safe_path(path) for path in paths if not LEFT_BEHIND.fullmatch(path)]


def _store(pin: Pin, info: Path, site: Path, staged: Path, final: Path, cache: Cache) -> None:
    metadata = _metadata(info)
    paths = _recorded(info / "RECORD")
    (staged / FILES).mkdir(parents=True)
    for path in paths:
        (staged / FILES / path).parent.mkdir(parents=True, exist_ok=True)
        try:
            (site / path).rename(staged / FILES / path)
        except FileNotFoundError as exc:
            raise BundleError(
                f"The wheel of {pin.requirement} lists {path}, which it does not hold."
            ) from exc
    document = {
        **metadata._asdict(),
        FILES: _index(staged / FILES, paths),
        LEAN: _index(staged / LEAN, _make_lean(staged, paths)),
    }
    (staged / INDEX).write_text(json.dumps(document))
    cache.publish(staged, final)


def _make_lean(staged: Path, paths: list[str]) -> Iterator[str]:
    """Write the libraries that are smaller without their symbols beside `paths`; yield which these are."""
    for path in paths:
        original, lean = staged / FILES / path, staged / LEAN / path
        if (data := without_symbols(original)) is not None:
            lean.parent.mkdir(parents=True, exist_ok=True)
            lean.write_bytes(data)
            lean.chmod(original.stat().st_mode)
            yield path


def _index(folder: Path, paths: Iterable[str]) -> dict[str, tuple[str, int, bool]]:
    files = read_files({path: folder / path for path in paths})
    return {path: (file.sha256, file.bytes, file.executable) for path, file in files.items()}


class _Metadata(NamedTuple):
    name: str
    version: str
    requires: list[str]
    optional: list[str]
    extended: list[str]


def _metadata(info: Path) -> _Metadata:
    head = (info / "METADATA").read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    fields = [line.partition(": ") for line in head.splitlines()]
    values = {name: value for name, _, value in reversed(fields)}
    lines = [value for name, _, value in fields if name == "Requires-Dist"]
    always = [line for line in lines if not re.search(r";.*\bextra\b", line)]
    names = {requirement_name(line) for line in lines}
    return _Metadata(
        name=normalised(values["Name"]),
        version=values["Version"],
        requires=sorted(names),
        optional=sorted(names - {requirement_name(line) for line in always}),
        extended=sorted(with_extras(always)),
    )


def _read(folder: Path) -> Package:
    document = json.loads((folder / INDEX).read_text())

    def listed(part: str) -> dict[str, File]:
        return {
            path: File(folder / part / path, digest, size, executable)
            for path, (digest, size, executable) in document[part].items()
        }

    return Package(
        name=document["name"],
        version=document["version"],
        requires=frozenset(document["requires"]),
        files=listed(FILES),
        lean=listed(LEAN),
        optional=frozenset(document["optional"]),
        extended=frozenset(document["extended"]),
    )
