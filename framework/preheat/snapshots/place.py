"""Where the user's files set what is at a path, such as `self.client` or `handler.CACHE`. Reads them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from preheat.findings import Finding
from preheat.project.model import Project

FIRST = re.compile(r"[A-Za-z_]\w*")


def place_in(project: Project, path: str, message: str, fix: str | None) -> Finding:
    """Return the finding at the line that first sets `path`, or that defines the function of that name."""
    module = project.handler.partition(":")[0]
    owner, _, rest = path.partition(".")
    dotted = module
    if owner != "self" and rest:  # a global, by its module's dotted name
        dotted, _, path = _outermost(project.root, path)
    file = _file(project.root, dotted)
    if file is None:
        return Finding(message=message, fix=fix)
    tree = ast.parse(file.read_bytes())
    if owner == "self":
        lines = sorted(_set_on_self(tree, _first(rest)))
    else:
        name, _, rest = path.partition(".")
        lines = sorted(_set_in_class(tree, name, _first(rest)) or _defined(tree, _first(path)))
    return Finding(message=message, file=file, line=lines[0] if lines else None, fix=fix)


def _first(path: str) -> str:
    """Return the first name in `path`."""
    found = FIRST.match(path)
    return found[0] if found else ""


def _outermost(root: Path, path: str) -> tuple[str, str, str]:
    """Return the longest module that `path` begins with, and what follows."""
    parts = path.split(".")
    for count in range(len(parts) - 1, 0, -1):
        dotted = ".".join(parts[:count])
        if _file(root, dotted) is not None:
            return dotted, ".", ".".join(parts[count:])
    return "", ".", path


def _file(root: Path, dotted: str) -> Path | None:
    stem = root.joinpath(*dotted.split("."))
    return next((file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()), None)


def _set_on_self(tree: ast.Module, name: str) -> Iterator[int]:
    """Yield where an attribute is set, on an instance or in the body of a class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Store):
            yield node.lineno
        if isinstance(node, ast.ClassDef):
            yield from _set_in_body(node, name)


def _set_in_class(tree: ast.Module, owner: str, name: str) -> list[int]:
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == owner)
    return [line for node in classes for line in _set_in_body(node, name)]


def _set_in_body(node: ast.ClassDef, name: str) -> Iterator[int]:
    for statement in node.body:
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _defined(statement, name)


def _defined(tree: ast.AST, name: str) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            yield node.lineno
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store):
            yield node.lineno
