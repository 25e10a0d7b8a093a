"""A folder with preheat.toml to a Project, or every mistake in it. Reads the project's folder, nothing else.

    document        preheat.toml as plain data, with the line of each key
    violations      of the published JSON Schema, then of each provider's own for its table
    assemble        one stage's values as frozen data
    contradictions  that no schema can say

A part that breaks its schema is left out of the later steps, so that one mistake is told once and
hides no other.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from preheat.errors import ProjectError
from preheat.findings import Finding
from preheat.project.assemble import assemble, merged
from preheat.project.contradictions import contradictions
from preheat.project.document import FILE, Document, read_document, unusable_values
from preheat.project.mistake import KeyPath, Mistake, key_text, shown
from preheat.project.model import DEFAULT_STAGE, Project
from preheat.project.names import NAME_FORM, is_name, nearest, nearest_name
from preheat.project.requirements import requirement_lines, requirement_mistakes
from preheat.project.schema import project_schema
from preheat.project.violations import violations

Schemas = Mapping[str, Mapping[str, Any]]

NAMED = {"weights", "triggers", "env", "secrets", "provider"}
"""Tables whose entries stand for themselves: one that is wrong does not touch the others."""
ABSENT = {"name": "", "handler": ""}
"""What the later steps see where a required key is wrong; no project with it is ever returned."""


def load_project(root: Path, stage: str, *, provider_schemas: Schemas) -> Project:
    """Return the project in `root` at `stage`. Raises ProjectError with every mistake as a finding.

    `provider_schemas` holds the schema of each installed provider's table, by the provider's name.
    A schema is asked for only when preheat.toml has the table.
    """
    if not is_name(stage):
        message = f"The stage {shown(stage)} is no valid name: {NAME_FORM}."
        raise ProjectError(message, hint=f"--stage {nearest_name(stage)}")
    root = root.absolute()
    document = read_document(root)
    _refuse_mistyped(stage, _stages(document))
    found = _Found(document)
    found.add(unusable_values(document))
    found.add(violations(document.values, project_schema()))
    values = merged(document.values, stage)
    if stage in _stages(document):
        found.add(violations(values, project_schema()), stage)
    for each in {*_stages(document), stage}:
        found.add(_provider_mistakes(merged(document.values, each), provider_schemas), each)
    usable = _without(values, found.paths(stage))
    lines, unread = requirement_lines(root, usable.get("requirements", []))
    project = assemble(root, stage, {**ABSENT, **usable}, requirements=tuple(line.text for line in lines))
    found.add([*unread, *requirement_mistakes(lines), *contradictions(project)], stage)
    if found.mistakes:
        count = len(found.mistakes)
        message = f"{FILE} has {count} mistake{'' if count == 1 else 's'}."
        raise ProjectError(message, findings=found.findings())
    return project


class _Found:
    """Every mistake, where the file has it. A later step does not repeat the place of an earlier one."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.mistakes: list[Mistake] = []

    def add(self, mistakes: Iterable[Mistake], stage: str | None = None) -> None:
        """Keep `mistakes`; with `stage`, they were found in the values merged for it."""
        known = {(each.path, each.file, each.line) for each in self.mistakes}
        for mistake in mistakes:
            path = self._document.written_at(mistake.path, stage) if stage else mistake.path
            if (path, mistake.file, mistake.line) not in known:
                self.mistakes.append(replace(mistake, path=path))

    def paths(self, stage: str) -> Iterator[KeyPath]:
        """Yield where the values merged for `stage` are wrong."""
        for mistake in self.mistakes:
            own = mistake.path[:2] == ("stage", stage)
            path = mistake.path[2:] if own else mistake.path
            if path:  # a stage that is no table at all has nothing to leave out
                yield path

    def findings(self) -> tuple[Finding, ...]:
        """Return the mistakes in the order of the file, those of other files last."""
        findings = [
            Finding(
                message=mistake.message,
                file=mistake.file or self._document.file,
                line=mistake.line or self._document.line(mistake.path),
                key=key_text(mistake.path),
                fix=mistake.fix,
            )
            for mistake in self.mistakes
        ]
        return tuple(sorted(findings, key=lambda each: (each.file != self._document.file, each.line or 0)))


def _refuse_mistyped(stage: str, declared: tuple[str, ...]) -> None:
    """Refuse a stage that is nearly a declared one: it would be a second function with the base settings."""
    near = None if stage in (DEFAULT_STAGE, *declared) else nearest(stage, declared)
    if near:
        message = f"{FILE} has no [stage.{stage}]; did you mean {near!r}?"
        raise ProjectError(message, hint=f"--stage {near}   or declare it: [stage.{stage}]")


def _stages(document: Document) -> tuple[str, ...]:
    stages = document.values.get("stage")
    return tuple(stages) if isinstance(stages, dict) else ()


def _provider_mistakes(values: Mapping[str, Any], schemas: Schemas) -> Iterator[Mistake]:
    tables = values.get("provider")
    for name, table in tables.items() if isinstance(tables, dict) else ():
        if name not in schemas:
            installed = sorted(schemas)
            near = nearest(name, installed)
            message = f"There is no provider {name!r}. Installed: {', '.join(installed) or 'none'}."
            fix = f"[provider.{near}]" if near else None
            yield Mistake(path=("provider", name), message=message, fix=fix)
        elif isinstance(table, dict):
            yield from violations(table, dict(schemas[name]), at=("provider", name))


def _without(values: dict[str, Any], paths: Iterable[KeyPath]) -> dict[str, Any]:
    """Return `values` without every part that one of `paths` is in."""
    usable = {key: dict(value) if isinstance(value, dict) else value for key, value in values.items()}
    for top, *rest in paths:
        entries = usable.get(str(top))
        if top in NAMED and rest and isinstance(entries, dict):
            entries.pop(str(rest[0]), None)
        else:
            usable.pop(str(top), None)
    return usable
