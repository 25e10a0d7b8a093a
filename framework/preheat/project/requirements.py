"""The packages a project asks for: a list in preheat.toml, or a file with one PEP 508 line each.

Reads the requirements file where there is one. Only names that an index resolves to wheels are
allowed: a path, a URL or a repository would be built from source, and differ between machines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preheat.project.mistake import KeyPath, Mistake, shown, toml_text
from preheat.project.paths import inside

KEY = "requirements"
OURS = "preheat"
_ELSEWHERE = re.compile(r"[.~/]|[a-z+]+://|[^@\s]*\.(whl|tar\.gz|zip)$")


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement and where it is written; `file` is None for preheat.toml itself."""

    text: str
    path: KeyPath
    file: Path | None = None
    line: int | None = None

    def mistake(self, message: str, better: str | None = None) -> Mistake:
        """Return the mistake that `message` says of this line; `better` is what should stand instead."""
        fix = better if self.file or better is None else f"{toml_text(better)},"
        return Mistake(path=self.path, message=message, fix=fix, file=self.file, line=self.line)


def requirement_lines(root: Path, value: Any) -> tuple[tuple[Line, ...], tuple[Mistake, ...]]:
    """Return the lines of `requirements = value`, and what hinders reading them."""
    if isinstance(value, list):
        return tuple(Line(text, (KEY, index)) for index, text in enumerate(value)), ()
    problem = inside(root, value)
    if problem:
        return (), (Mistake(path=(KEY,), message=f"requirements = {shown(value)} {problem}.", fix=_FILE_FIX),)
    file = root / value
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError:
        return (), (
            Mistake(
                path=(KEY,),
                message=f"requirements = {shown(value)}: there is no such file.",
                fix=_list_fix(value),
            ),
        )
    except (OSError, UnicodeDecodeError) as error:
        message = f"requirements = {shown(value)}: the file cannot be read: {error}."
        return (), (Mistake(path=(KEY,), message=message),)
    return tuple(_file_lines(file, text)), ()


_FILE_FIX = 'requirements = "requirements.txt"'


def _list_fix(value: str) -> str:
    looks_like_a_package = "/" not in value and not value.endswith((".txt", ".in"))
    return f"requirements = [{toml_text(value)}]" if looks_like_a_package else _FILE_FIX


def _file_lines(file: Path, text: str) -> Iterator[Line]:
    """Yield the requirements in a file, without comments, with continued lines joined."""
    started, pending = 0, ""
    for number, raw in enumerate(text.splitlines(), start=1):
        started = started if pending else number
        content = re.sub(r"(^|\s)#.*$", "", raw).rstrip()
        if content.endswith("\\"):
            pending += content[:-1] + " "
            continue
        line, pending = " ".join((pending + content).split()), ""
        if line:
            yield Line(line, (KEY,), file, started)
    if pending.strip():
        yield Line(pending.strip(), (KEY,), file, started)


def requirement_mistakes(lines: tuple[Line, ...]) -> Iterator[Mistake]:
    """Yield what is wrong with each of `lines`."""
    for line in lines:
        mistake = _mistake_in(line)
        if mistake:
            yield mistake


def _mistake_in(line: Line) -> Mistake | None:
    from packaging.requirements import InvalidRequirement, Requirement  # 12 ms that few commands need
    from packaging.utils import canonicalize_name

    said = shown(line.text)
    if line.text.startswith("-"):
        return line.mistake(f"{said} is an option of pip; only PEP 508 lines are read here.")
    if _ELSEWHERE.match(line.text):
        message = f"{said} is a path or an address; only packages of the index come as wheels."
        return line.mistake(message, "NAME==VERSION")
    try:
        requirement = Requirement(line.text)
    except InvalidRequirement as error:
        return _unreadable(line, str(error).splitlines()[0])
    if requirement.url is not None:
        message = f"{said} is not a package of the index; only those come as wheels."
        return line.mistake(message, f"{requirement.name}==VERSION")
    if canonicalize_name(requirement.name) == OURS:
        return line.mistake(f"{said}: Preheat ships its runtime in every bundle; remove this line.")
    return None


def _unreadable(line: Line, problem: str) -> Mistake:
    said = shown(line.text)
    hashed = re.match(r"(.*?)\s+--hash=", line.text)
    if hashed:
        message = f"{said}: Preheat locks with hashes of its own; leave only the requirement."
        return line.mistake(message, hashed[1])
    message = f"{said} is not a requirement: {problem[:1].lower()}{problem[1:]}."
    one_sign = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*=\s*([0-9][0-9A-Za-z.*]*)", line.text)
    return line.mistake(message, f"{one_sign[1]}=={one_sign[2]}" if one_sign else None)
