"""Wheels made on the fly, and a package index on the loopback that serves them."""

import base64
import hashlib
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path

FIXED_TIME = (2020, 1, 1, 0, 0, 0)


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    files: Mapping[str, str | bytes] | None = None,
    requires: Sequence[str] = (),
    tag: str = "py3-none-any",
    listed: Sequence[str] = (),
) -> Path:
    """Write a wheel into `folder` and return its path. `listed` are further paths that RECORD names."""
    folder.mkdir(parents=True, exist_ok=True)
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
    contents: dict[str, bytes] = {
        path: text.encode() if isinstance(text, str) else text
        for path, text in (files or {f"{module}/__init__.py": f"VERSION = {version!r}\n"}).items()
    }
    contents[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}\n".encode()
    )
    contents[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    record = "".join(
        f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in contents.items()
    )
    record += "".join(f"{path},,\n" for path in listed)
    contents[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    path = folder / f"{module}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name_inside, content in contents.items():
            member = zipfile.ZipInfo(name_inside, FIXED_TIME)
            member.external_attr = 0o644 << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(member, content)
    return path


def installed_wheel(folder: Path, name: str) -> Path:
    """Write the installed distribution `name` into `folder` as the wheel that it came from."""
    found = distribution(name)
    tag = (found.read_text("WHEEL") or "").partition("Tag: ")[2].splitlines()[0]
    path = folder / f"{name}-{found.version}-{tag}.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as wheel:
        for entry in found.files or ():
            if entry.name not in ("INSTALLER", "REQUESTED") and "__pycache__" not in entry.parts:
                wheel.write(str(found.locate_file(entry)), str(entry))
    return path


def lay_installed(folder: Path, name: str) -> None:
    """Copy the modules of the installed distribution `name` into `folder`, as an installer would."""
    for entry in distribution(name).files or ():
        if entry.suffix in (".py", ".so"):
            (folder / entry).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(entry.locate()), folder / entry)


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def index_of(wheels: Sequence[Path]) -> dict[str, bytes]:
    """Return the pages and files of a package index (PEP 503) that holds `wheels`."""
    pages: dict[str, bytes] = {}
    for wheel in wheels:
        name = wheel.name.split("-")[0].replace("_", "-").lower()
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        link = f'<a href="/files/{wheel.name}#sha256={digest}">{wheel.name}</a>\n'
        pages[f"/simple/{name}/"] = pages.get(f"/simple/{name}/", b"<!DOCTYPE html>\n") + link.encode()
        pages[f"/files/{wheel.name}"] = wheel.read_bytes()
    return pages
