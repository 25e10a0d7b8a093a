"""New projects from the templates beside this file. Writes one folder, all of it or nothing."""

import shutil
import tempfile
from pathlib import Path

from preheat.errors import ProjectError
from preheat.project.names import NAME_FORM, is_name, nearest, nearest_name

TEMPLATES = Path(__file__).with_name("templates")
SUFFIX = ".tmpl"
"""Of a text file with the project's name to fill in; other files are copied as they are."""


def template_names() -> tuple[str, ...]:
    """Return the templates there are, sorted."""
    return tuple(sorted(path.name for path in TEMPLATES.iterdir() if path.is_dir()))


def scaffold(name: str, template: str, into: Path) -> tuple[Path, ...]:
    """Make a project called `name` in the folder `into` and return its files, sorted.

    `into` must not exist yet, or be empty. Raises ProjectError otherwise, and then leaves nothing behind.
    """
    if not is_name(name):
        message = f"{name!r} cannot name a project: {NAME_FORM}."
        raise ProjectError(message, hint=f"preheat init {nearest_name(name)}")
    if template not in template_names():
        near = nearest(template, template_names())
        message = f"There is no template {template!r}. Templates: {', '.join(template_names())}."
        raise ProjectError(message, hint=f"preheat init {name} --template {near}" if near else None)
    into = into.absolute()
    try:
        if _taken(into):
            raise ProjectError(
                f"{into} exists already; nothing in it was changed.", hint=f"preheat init {name}-2"
            )
        _write(name, TEMPLATES / template, into)
    except OSError as error:
        raise ProjectError(f"The project cannot be written to {into}: {error.strerror}.") from error
    return tuple(sorted(path for path in into.rglob("*") if path.is_file()))


def _taken(into: Path) -> bool:
    return into.is_symlink() or into.is_file() or (into.is_dir() and any(into.iterdir()))


def _write(name: str, template: Path, into: Path) -> None:
    """Write to a neighbouring folder and rename it, which replaces an empty folder but no other."""
    into.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=into.parent))
    try:
        made = scratch / name
        made.mkdir()
        for source in sorted(path for path in template.rglob("*") if path.is_file()):
            target = made / source.relative_to(template)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.suffix == SUFFIX:
                text = source.read_text("utf-8").replace("{{name}}", name)
                target.with_suffix("").write_text(text, "utf-8")
            else:
                target.write_bytes(source.read_bytes())
        made.rename(into)
    finally:
        shutil.rmtree(scratch)
