"""Changes single values of preheat.toml and leaves everything else as it is written, comments included."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from preheat.errors import PreheatError, ProjectError
from preheat.project.document import FILE, Document, read_document
from preheat.project.mistake import KeyPath
from preheat.project.model import DEFAULT_STAGE

Settings = Mapping[str, Any]
"""Values by dotted key, such as `scaling.min`; None removes one, also a list that every stage has."""


def write_settings(root: Path, stage: str, settings: Settings, *, check: Callable[[Path], object]) -> Path:
    """Set each of `settings` in the preheat.toml of `root` as `stage` has it; return the file.

    What `check` raises about the folder then is raised, and the file is as it was.
    """
    import tomlkit  # 20 ms that only a change needs

    document = read_document(root)
    before = document.file.read_bytes()
    text = tomlkit.parse(before.decode("utf-8-sig"))
    for key, value in settings.items():
        place = _place(document, key, stage)
        _set(text, place, _none_of(document, key) if value is None and place[0] == "stage" else value)
    _replace(document.file, tomlkit.dumps(text).encode())
    try:
        check(root)
    except PreheatError:
        _replace(document.file, before)
        raise
    return document.file


def _place(document: Document, key: str, stage: str) -> KeyPath:
    """Return where `key` belongs: what the file says of a stage alone counts there before the rest."""
    path = tuple(key.split("."))
    own = ("stage", stage, *path)
    return path if stage == DEFAULT_STAGE and own not in document.lines else own


def _none_of(document: Document, key: str) -> list[Any] | None:
    """Return what leaves a stage without the value that the file has for every stage; None if it has none."""
    found: Any = document.values
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return [] if isinstance(found, list) else None


def _set(text: Any, path: KeyPath, value: Any) -> None:
    import tomlkit

    *tables, name = path
    table = text
    for depth, each in enumerate(tables):
        if each not in table:
            if value is None:
                return
            table[each] = tomlkit.table(is_super_table=depth < len(tables) - 1)
        table = table[each]
        if not isinstance(table, Mapping):
            raise ProjectError(f"{FILE}: {each} is no table, so it has no place for {name}.")
    if value is None:
        table.pop(name, None)
    else:
        table[name] = _item(value)


def _item(value: Any) -> Any:
    """Return `value` on one line: a list of tables would end the table that it stands in."""
    import tomlkit

    if not isinstance(value, list):
        return value
    array = tomlkit.array()
    for each in value:
        item = each
        if isinstance(each, Mapping):
            item = tomlkit.inline_table()
            item.update(each)
        array.append(item)
    return array


def _replace(file: Path, content: bytes) -> None:
    """Write `content` so that the file is never half of it."""
    new = file.with_name(f".{file.name}.new")
    new.write_bytes(content)
    new.chmod(file.stat().st_mode)
    new.replace(file)
