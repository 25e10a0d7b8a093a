"""An image as a Dockerfile with its files, for those who must build elsewhere. The result runs the same."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

from preheat.bundle.image.container import Container
from preheat.bundle.image.image import Foundation
from preheat.bundle.image.layers import PARTS
from preheat.bundle.model import Bundle
from preheat.bundle.zip.archive import members_of
from preheat.errors import BundleError

BYTECODE = "python.tar.gz"
"""Of the standard library; ADD unpacks it."""


def export_dockerfile(bundle: Bundle, foundation: Foundation, container: Container, folder: Path) -> None:
    """Write a build context to `folder`, which must be new or empty. Raises BundleError."""
    process = [*_process(foundation, container)]
    if folder.exists() and any(folder.iterdir()):
        raise BundleError(f"{folder} is not empty.", hint="Name another folder for the Dockerfile.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        names = [name for name in PARTS if _lay(name, bundle, staging)]
        if foundation.bytecode is not None:
            shutil.copyfile(foundation.bytecode.blob.path, staging / BYTECODE)
        lines = [*_files(names, foundation), *process, ""]
        (staging / "Dockerfile").write_text("\n".join(lines), encoding="utf-8")
        staging.chmod(0o755)
        staging.replace(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _lay(name: str, bundle: Bundle, context: Path) -> bool:
    """Copy one part of the bundle below `context`; say whether it has any file."""
    part = PARTS[name]
    members = [*members_of(part, bundle.layer(part.layer))]
    for member in members:
        path = context / name / Path(member.path).relative_to(part.folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.writelines(member.chunks())
        path.chmod(member.mode)
        os.utime(path, (0, 0))
    return bool(members)


def _files(names: list[str], foundation: Foundation) -> Iterator[str]:
    base = foundation.base
    pinned = base.reference.at(base.digest)
    yield "# Written by `preheat image build --dockerfile`. Files seldom changed come first."
    yield f"FROM --platform={base.platform} {pinned.registry}/{pinned.repository}@{base.digest}"
    if foundation.bytecode is not None:
        yield f"ADD {BYTECODE} /"
    for name in names:
        yield f"COPY {name}/ /{PARTS[name].folder}/"


def _process(foundation: Foundation, container: Container) -> Iterator[str]:
    for variable, value in sorted(container.env.items()):
        yield f"ENV {variable}={_quoted(variable, value)}"
    for label, value in sorted(container.labels.items()):
        yield f"LABEL {label}={_quoted(label, value)}"
    for port in container.ports:
        yield f"EXPOSE {port}"
    yield f"WORKDIR {container.folder}"
    yield f"USER {container.user or 'root'}"
    yield f"STOPSIGNAL {container.stop_signal}"
    yield f"ENTRYPOINT {json.dumps([foundation.interpreter, *container.command])}"
    yield "CMD []"


def _quoted(name: str, value: str) -> str:
    """Return `value` so that builders read it as it is. Raises BundleError for one of several lines.

    Between double quotes a backslash escapes only itself, the quote and the dollar, and none stands for a
    line break (moby/buildkit, frontend/dockerfile/shell/lex.go, read 2026-11-21).
    """
    if "\n" in value:
        raise BundleError(
            f"{name} has several lines, which a Dockerfile cannot say.",
            hint="Have the image built here, which can: preheat image build --output image.tar",
        )
    escaped = re.sub(r'([\\"$])', r"\\\1", value)
    return f'"{escaped}"'
