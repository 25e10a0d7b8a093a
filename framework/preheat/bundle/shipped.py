"""THE list of what ships of preheat itself, beside the user's code: as files, never imported here.

A test imports exactly this set with `python -I -S`, so whatever is on it may import the standard
library, the rest of the list, and nothing else.
"""

import importlib.util
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from preheat.bundle.model import Target
from preheat.errors import BundleError

SHIPPED = (
    "preheat/__init__.py",
    "preheat/errors.py",
    "preheat/interface/**/*.py",
    "preheat/runtime/**/*.py",
    "preheat/runtime/surface/pages/*.*",
    "preheat/runtime/grpc/*.binpb",
)
"""Patterns below the folder that holds the package `preheat`."""

REQUIREMENTS = ("orjson>=3.10",)
"""What the shipped part of preheat needs beside the standard library: every target asks for it."""

GATEWAY = (
    "preheat/runtime/surface/",
    "preheat/runtime/server/",
    "preheat/runtime/inference/",
    "preheat/runtime/grpc/",
    "preheat/runtime/metrics.py",
    "preheat/runtime/scrape.py",
    "preheat/runtime/telemetry.py",
    "preheat/runtime/access.py",
    "preheat/runtime/tracing.py",
    "preheat/runtime/spans.py",
    "preheat/runtime/jobs.py",
    "preheat/runtime/requests.py",
    "preheat/runtime/answers.py",
    "preheat/runtime/objects/",
)
"""What answers HTTP: it ships only with a provider's entry that imports the surface or the server."""

_GATEWAY_IMPORT = re.compile(r"preheat\.runtime\.(surface|server)\b")

HANDLERS = "preheat_handlers"
OURS = ("preheat", "preheat_providers", HANDLERS)


def package_folder(name: str) -> Path:
    """Return the folder of the installed top-level package `name`, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise BundleError(f"The package {name} is not installed, and the bundle needs its files.")
    return Path(next(iter(spec.submodule_search_locations)))


def shipped_files(target: Target, handler: str, user_code: str) -> dict[str, Path]:
    """Return the files that ship for `target`, by their path in the code layer.

    Of `preheat_handlers` only what `handler` or the text of the user's code names, and what that imports.
    """
    entries = _modules(target.entry)
    used = {*re.findall(rf"\b{HANDLERS}\.(\w+)", f"{handler}\n{user_code}")}
    imported = re.findall(rf"from {HANDLERS} import \(?([\w, ]+)", user_code)
    used |= {name for names in imported for name in re.findall(r"\w+", names)}
    return dict(sorted((_framework(entries) | entries | _handlers(used)).items()))


def shipped_from(target: Target) -> list[Path]:
    """Return every file that could ship for `target`, whatever the user's code names; reads none of them."""
    root = package_folder("preheat").parent
    handlers = package_folder(HANDLERS)
    framework = [path for pattern in SHIPPED for path in root.glob(pattern)]
    return [*framework, *_modules(target.entry).values(), *handlers.rglob("*.py")]


def _framework(entries: Mapping[str, Path]) -> dict[str, Path]:
    root = package_folder("preheat").parent
    found = {path.relative_to(root).as_posix(): path for pattern in SHIPPED for path in root.glob(pattern)}
    if any(_GATEWAY_IMPORT.search(path.read_text(encoding="utf-8")) for path in entries.values()):
        return found
    return {name: path for name, path in found.items() if not name.startswith(GATEWAY)}


def _handlers(names: Iterable[str]) -> dict[str, Path]:
    """Return the files of modules of `preheat_handlers`, packages whole, and of those that they import."""
    files: dict[str, Path] = {}
    waiting, seen = sorted(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        found = _modules([f"{HANDLERS}.{name}"])
        for path in (package_folder(HANDLERS) / name).rglob("*.py"):
            found[f"{HANDLERS}/{path.relative_to(package_folder(HANDLERS)).as_posix()}"] = path
        files |= found
        texts = "\n".join(path.read_text(encoding="utf-8") for path in found.values())
        waiting += re.findall(rf"^\s*(?:from|import) {HANDLERS}\.(\w+)", texts, re.MULTILINE)
    return files


def _modules(names: Iterable[str]) -> dict[str, Path]:
    """Return the files of modules and of the packages around them."""
    files: dict[str, Path] = {}
    for name in names:
        top, *rest = name.split(".")
        folder = package_folder(top)
        place = folder.joinpath(*rest)
        module = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if not module.is_file():
            raise BundleError(f"There is no module {name} to ship; looked for {module}.")
        files[f"{top}/{module.relative_to(folder).as_posix()}"] = module
        for parent in [folder.joinpath(*rest[:depth]) for depth in range(len(rest))]:
            if (parent / "__init__.py").is_file():
                files[f"{top}/{(parent / '__init__.py').relative_to(folder).as_posix()}"] = (
                    parent / "__init__.py"
                )
    return files
