"""How what a project asks for differs from what exists. In: resources. Out: changes. Touches nothing.

A field is named by its dotted path (`scaling.max`); a key that is no bare word is quoted as in
TOML (`env."A.B"`). Lists are compared whole. A property that is None is the same as no property.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from preheat.plan.model import Action, Change, FieldChange, Resource

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
PATH_PART = re.compile(r'([A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*")(?:\.|$)')

Key = tuple[str, str]


def diff(desired: Iterable[Resource], observed: Iterable[Resource]) -> tuple[Change, ...]:
    """Return what turns `observed` into `desired`.

    Creations and updates come in the order of `desired`; then deletions, in the reverse order of
    `observed`, so that what was made last goes first.
    Raises ValueError when two resources of one side have the same kind and name.
    """
    wanted, existing = _by_key(desired), _by_key(observed)
    changes = []
    for key, resource in wanted.items():
        before = existing.get(key)
        fields = field_changes(before.properties if before else {}, resource.properties)
        if before is None:
            changes.append(_change("create", key, fields))
        elif fields:
            changes.append(_change("update", key, fields))
    changes += [
        _change("delete", key, field_changes(existing[key].properties, {}))
        for key in reversed(existing)
        if key not in wanted
    ]
    return tuple(changes)


def patch(observed: Iterable[Resource], changes: Iterable[Change]) -> tuple[Resource, ...]:
    """Return `observed` after `changes`: the inverse of `diff`, up to properties that are None."""
    resources = _by_key(observed)
    for change in changes:
        key = (change.kind, change.name)
        if change.action == "delete":
            del resources[key]
            continue
        before = resources[key].properties if change.action == "update" else {}
        properties = _patched(before, change.fields)
        resources[key] = Resource(kind=change.kind, name=change.name, properties=properties)
    return tuple(resources.values())


def field_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Return the fields in which two property trees differ, in order of their paths."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return tuple(
        FieldChange(path=path, before=old.get(path), after=new.get(path))
        for path in sorted(old.keys() | new.keys())
        if not _same(old.get(path), new.get(path))
    )


def _by_key(resources: Iterable[Resource]) -> dict[Key, Resource]:
    found: dict[Key, Resource] = {}
    for resource in resources:
        key = (resource.kind, resource.name)
        if key in found:
            raise ValueError(f"two resources are called {resource.kind} {resource.name!r}")
        found[key] = resource
    return found


def _change(action: Action, key: Key, fields: tuple[FieldChange, ...]) -> Change:
    return Change(action=action, kind=key[0], name=key[1], fields=fields)


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        path = prefix + (key if BARE_KEY.fullmatch(key) else json.dumps(key))
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, path + ".")
        elif value is not None:
            yield path, value


def _same(one: Any, other: Any) -> bool:
    """Compare as JSON does: 1 and 1.0 are the same, 1 and true are not."""
    match one, other:
        case (list() | tuple(), list() | tuple()):
            return len(one) == len(other) and all(map(_same, one, other))
        case (Mapping(), Mapping()):
            return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
        case _:
            return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _patched(properties: Mapping[str, Any], fields: Iterable[FieldChange]) -> dict[str, Any]:
    leaves = dict(_leaves(properties))
    for change in fields:
        if change.after is None:
            del leaves[change.path]
        else:
            leaves[change.path] = change.after
    tree: dict[str, Any] = {}
    for path, value in leaves.items():
        *parents, last = _parts(path)
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    return tree


def _parts(path: str) -> list[str]:
    parts = [match.group(1) for match in PATH_PART.finditer(path)]
    return [json.loads(part) if part.startswith('"') else part for part in parts]
