"""preheat.toml as plain data with the line of every key. Reads one file.

Everything that TOML can say but JSON or an operating system cannot (dates, NaN, NUL) is a
mistake here, so that no later step meets it.
"""

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preheat.errors import ProjectError
from preheat.findings import Finding
from preheat.project.locate import locate
from preheat.project.mistake import KeyPath, Mistake, key_text, shown

FILE = "preheat.toml"
LARGEST = 1024 * 1024
DEEPEST = 64
"""How deeply tables and lists may nest."""


@dataclass(frozen=True, slots=True)
class Document:
    """The content of one preheat.toml."""

    file: Path
    values: Mapping[str, Any]
    lines: Mapping[KeyPath, int]

    def written_at(self, path: KeyPath, stage: str) -> KeyPath:
        """Return where the file sets `path` for `stage`: under `[stage.NAME]` when that is nearer to it."""
        own = ("stage", stage, *path)
        own_length = self._known(own) - 2
        return own if own_length > 0 and own_length >= self._known(path) else path

    def line(self, path: KeyPath) -> int | None:
        """Return the line of `path`, or of the nearest table around it that the file has."""
        known = self._known(path)
        return self.lines[path[:known]] if known else None

    def _known(self, path: KeyPath) -> int:
        """Return how many parts of `path` the file has."""
        return next((length for length in range(len(path), 0, -1) if path[:length] in self.lines), 0)


def read_document(root: Path) -> Document:
    """Read preheat.toml in `root`. Raises ProjectError when there is none, or it is not TOML."""
    file = root / FILE
    text = _text(file)
    try:
        values = tomllib.loads(text)
        if _nests_deeper(values, DEEPEST):
            raise RecursionError
        return Document(file, values, locate(text))
    except tomllib.TOMLDecodeError as error:
        raise _refused(_syntax(file, text, str(error))) from error
    except RecursionError as error:
        message = f"{FILE} nests tables or lists more than {DEEPEST} levels deep."
        raise _refused(Finding(message=message, file=file)) from error


def unusable_values(document: Document) -> Iterator[Mistake]:
    """Yield every value that JSON or an operating system cannot hold."""
    yield from _unusable((), document.values)


def _unusable(path: KeyPath, value: Any) -> Iterator[Mistake]:
    key = key_text(path)
    if isinstance(value, dict):
        for name, item in value.items():
            if "\0" in name:
                yield Mistake(path=(*path, name), message=f"{key_text((*path, name))} has a NUL in its name.")
            yield from _unusable((*path, name), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unusable((*path, index), item)
    elif isinstance(value, float) and not math.isfinite(value):
        yield Mistake(path=path, message=f"{key} is {value}; it must be a finite number.")
    elif isinstance(value, str) and "\0" in value:
        yield Mistake(path=path, message=f"{key} contains a NUL character, which no platform accepts.")
    elif not isinstance(value, str | bool | int | float):
        message = f"{key} is a TOML date or time, {shown(value)}; write it as a string."
        yield Mistake(path=path, message=message, fix=f'{path[-1]} = "{value}"')


def _nests_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_nests_deeper(item, levels - 1) for item in items)


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except FileNotFoundError as error:
        message = f"There is no {FILE} in {file.parent}."
        raise _refused(Finding(message=message, file=file, fix="preheat init my-model")) from error
    except OSError as error:
        raise _refused(Finding(message=f"{FILE} cannot be read: {error.strerror}.", file=file)) from error
    if len(data) > LARGEST:
        raise _refused(Finding(message=f"{FILE} is larger than 1 MB.", file=file))
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{FILE} is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}."
        fix = f"iconv -f latin1 -t utf-8 {FILE} -o {FILE}.utf8 && mv {FILE}.utf8 {FILE}"
        raise _refused(Finding(message=message, file=file, line=line, fix=fix)) from error


def _syntax(file: Path, text: str, problem: str) -> Finding:
    place = re.search(r" \(at line (\d+), column \d+\)$| \(at end of document\)$", problem)
    reason = problem[: place.start()] if place else problem
    line = int(place[1]) if place and place[1] else max(1, len(text.splitlines()))
    source = text.splitlines()[line - 1].strip() if text.strip() else ""
    shortened = source if len(source) <= 80 else source[:77] + "..."
    return Finding(
        message=f"This is not TOML: {reason[:1].lower()}{reason[1:]}: {shortened}", file=file, line=line
    )


def _refused(finding: Finding) -> ProjectError:
    return ProjectError(f"{FILE} cannot be used.", findings=(finding,))
