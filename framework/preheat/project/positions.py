"""Where in preheat.toml a finding belongs that knows only its key. Reads that file."""

import re
from collections.abc import Iterable
from dataclasses import replace

from preheat.findings import Finding
from preheat.project.document import Document, read_document
from preheat.project.mistake import KeyPath, key_text
from preheat.project.model import Project

_PART = re.compile(r'"((?:[^"\\]|\\.)*)"|([A-Za-z0-9_-]+)|\[(\d+)\]')
_SETTING = re.compile(r"(?P<setting>[\w-]+ = .*?)(?:\s*# (?:in )?\[(?P<table>[\w.-]+)\])?")
"""A line to paste, and the table that its comment names where that is not the finding's own."""


def positioned(findings: Iterable[Finding], project: Project) -> tuple[Finding, ...]:
    """Return `findings` with the lines of their keys, and in a fix the table that the file lacks."""
    found = tuple(findings)
    if not any(finding.key for finding in found):
        return found
    document = read_document(project.root)
    return tuple(_positioned(finding, document, project.stage) for finding in found)


def _positioned(finding: Finding, document: Document, stage: str) -> Finding:
    if finding.key is None or finding.line is not None or finding.file != document.file:
        return finding
    path = document.written_at(key_path(finding.key), stage)
    line = document.lines.get(path) or document.lines.get(path[:-1])
    return replace(finding, line=line, fix=_with_table(finding, document, stage))


def _with_table(finding: Finding, document: Document, stage: str) -> str | None:
    setting = _SETTING.fullmatch(finding.fix or "")
    if setting is None or finding.key is None:
        return finding.fix
    table = key_path(setting["table"]) if setting["table"] else key_path(finding.key)[:-1]
    if not table or table in document.lines or ("stage", stage, *table) in document.lines:
        return finding.fix
    return f"[{key_text(table)}]\n{setting['setting']}"


def key_path(key: str) -> KeyPath:
    """Return what `key_text` made `key` of; names with quotes or backslashes in them stay escaped."""
    return tuple(int(index) if index else quoted or bare for quoted, bare, index in _PART.findall(key))
