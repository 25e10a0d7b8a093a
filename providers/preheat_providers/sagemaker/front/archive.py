"""The archive of the small functions: their modules as they are here, and the handler's contract. Pure.

What they import of ours goes in with them, at its place and without the packages around it, so that nothing
else of preheat has to be there.
"""

import ast
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from preheat_providers.sagemaker.template.names import object_prefix
from preheat_providers.sagemaker.template.wanted import FrontName

OURS = ("preheat.", "preheat_providers.")
FRONT = "preheat_providers.sagemaker.front"
ROOTS: tuple[FrontName, ...] = ("jobs", "requests", "uploads")
CONTRACT = f"{FRONT.replace('.', '/')}/contract.json"
LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class FrontArchive:
    """A zip file; equal content, equal bytes."""

    data: bytes

    @property
    def sha256(self) -> str:
        """Its SHA-256, in hex."""
        return hashlib.sha256(self.data).hexdigest()

    def key(self, name: str, stage: str) -> str:
        """Return where it lies in the artifact bucket."""
        return f"{object_prefix(name, stage)}front/{self.sha256}.zip"


def front_archive(contract: Mapping[str, Any] | None) -> FrontArchive:
    """Return the archive; `contract` is the handler's, for GET /schema, None where it is not known."""
    into = io.BytesIO()
    # Stored and not compressed: no two compressors write the same.
    with zipfile.ZipFile(into, "w", zipfile.ZIP_STORED) as archive:
        for path, data in sorted(front_files(contract).items()):
            info = zipfile.ZipInfo(path, LONG_AGO)
            info.external_attr = 0o644 << 16
            info.create_system = 3  # Unix, wherever this runs
            archive.writestr(info, data)
    return FrontArchive(into.getvalue())


def front_files(contract: Mapping[str, Any] | None) -> dict[str, bytes]:
    """Return what goes into the archive, by path."""
    seen: set[str] = set()
    files = {path: data for root in ROOTS for path, data in _needed(f"{FRONT}.{root}", seen)}
    return files | ({} if contract is None else {CONTRACT: json.dumps(contract).encode()})


def _needed(name: str, seen: set[str]) -> Iterator[tuple[str, bytes]]:
    """Yield path and text of the module called `name` and of what it imports of ours."""
    if name in seen:
        return
    seen.add(name)
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin)
    tail = "/__init__.py" if file.name == "__init__.py" else ".py"
    data = file.read_bytes()
    yield f"{name.replace('.', '/')}{tail}", data
    for node in ast.parse(data).body:
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(OURS):
            yield from _needed(str(node.module), seen)
