"""The byte-code of the base's standard library as a layer of ours, where the base has none.

The published images of Python have none, to be smaller (docker-library/python issue 615, read 2026-11-21),
and a container cannot keep what it compiles: without it every start compiles some 200 modules again, which
takes longer than to load a small model (docs/benchmarks.md).
"""

import hashlib
import json
import re
from collections.abc import Mapping

from preheat.bundle.bytecode import compile_tree
from preheat.bundle.digest import Tree, content_file
from preheat.bundle.image.base import STAGE, Base, Bases
from preheat.bundle.image.facts import Facts
from preheat.bundle.image.layers import Content, Packed, pack, recall
from preheat.bundle.image.overlay import Overlay, Read
from preheat.bundle.interpreter import find_interpreter
from preheat.bundle.zip.packing import Member
from preheat.progress import Step

FORMAT = 1
"""Raised whenever the same base would get other bytes."""

NAME = "python"
LEFT_OUT = frozenset(
    {
        *("dist-packages", "site-packages", "test", "tests"),
        *("ensurepip", "idlelib", "lib2to3", "msilib", "pydoc_data", "tkinter", "turtledemo", "venv"),
        *("doctest", "mailbox", "pdb", "pydoc", "this", "turtle"),
    }
)
"""Packages and modules that no server imports."""

_LARGEST = 4 << 20


def bytecode_layer(base: Base, facts: Facts, python: str, *, bases: Bases) -> Packed | None:
    """Return the layer, or None where the base has it all or no Python of that version is on this machine."""
    folders = facts.uncompiled.get(python, [])
    interpreter = find_interpreter(python) if folders else None
    if interpreter is None:  # where it is missing, the bundle's build tells of it
        return None
    cache = bases.cache
    key = json.dumps([FORMAT, NAME, base.digest, python, interpreter.version])
    path = cache.root / "images" / f"{hashlib.sha256(key.encode()).hexdigest()}.tar.gz"
    known = recall(NAME, path, cache)
    if known is not None:
        return known
    bases.report(Step(STAGE, f"compiling the standard library of {base.reference.repository}"))
    sources = _sources(base, folders, bases)
    compiled = compile_tree(sources, interpreter, cache)
    members = [Member(path=name, source=file.source, size=file.bytes) for name, file in compiled.items()]
    content = Content(NAME, members, there=_above(sources))
    return pack(content, path, cache, bases.report)


def _sources(base: Base, folders: list[str], bases: Bases) -> Tree:
    wanted = re.compile(rf"(?:{'|'.join(map(re.escape, folders))})/([^/]+?)(?:\.py|/.*\.py)")

    def look(path: str, read: Read | None) -> bytes | None:
        found = wanted.fullmatch(path)
        return read(_LARGEST) if read is not None and found and found[1] not in LEFT_OUT else None

    left = Overlay(look)
    bases.read(base, left)
    return {path: content_file(source) for path, source in left.files.items()}


def _above(sources: Mapping[str, object]) -> frozenset[str]:
    """Return the folders that the base has: a layer that names one gives it another mode and time."""
    parts = [path.split("/") for path in sources]
    return frozenset("/".join(each[:depth]) for each in parts for depth in range(1, len(each)))
