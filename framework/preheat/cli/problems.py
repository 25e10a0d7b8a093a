"""How an error, a finding and a notice look to a reader, and as JSON. Touches nothing."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from preheat.cli.text import bold, dim, paste
from preheat.errors import Located, PreheatError


def error(problem: PreheatError) -> Iterator[str]:
    """Yield an error: its message, what was found, and the line to paste."""
    yield click.style("error: ", fg="red", bold=True) + problem.message
    yield from findings(problem.findings)
    if problem.hint:
        yield paste(problem.hint)


def error_document(problem: PreheatError) -> dict[str, Any]:
    """Return an error as the JSON object that a command with --json prints instead of its result."""
    return {
        "error": {
            "type": type(problem).__name__,
            "message": problem.message,
            "hint": problem.hint,
            "findings": [finding_document(finding) for finding in problem.findings],
        }
    }


def note(text: str, hint: str | None = None) -> Iterator[str]:
    """Yield something worth knowing though nothing failed."""
    yield click.style("note: ", fg="yellow") + text
    if hint:
        yield paste(hint)


def findings(found: Iterable[Located]) -> Iterator[str]:
    """Yield each finding with its place and its fix."""
    for each in found:
        yield from finding(each)


def finding(found: Located, *, of: str = "") -> Iterator[str]:
    """Yield one finding with its place, whom it is of where that is told, and its fix."""
    place = _place(found)
    yield f"  {bold(place + ': ') if place else ''}{found.message}{dim(f' ({of})') if of else ''}"
    if found.fix:
        yield "\n".join(f"      {click.style(line, fg='cyan')}" for line in found.fix.splitlines())


def finding_document(finding: Located) -> dict[str, Any]:
    """Return a finding as JSON values."""
    return {
        "message": finding.message,
        "file": str(finding.file) if finding.file else None,
        "line": finding.line,
        "key": finding.key,
        "fix": finding.fix,
    }


def _place(finding: Located) -> str:
    if finding.file is None:
        return ""
    here = Path.cwd()
    file = finding.file.relative_to(here) if finding.file.is_relative_to(here) else finding.file
    return f"{file}:{finding.line}" if finding.line else str(file)
