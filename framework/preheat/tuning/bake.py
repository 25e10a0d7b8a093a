"""A result into the project: `tuned/NAME/` complete or untouched, then preheat.toml points at it."""

import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from preheat.bundle.ignore import IGNORE_FILES
from preheat.bundle.weights.source import local_path
from preheat.errors import TuningError
from preheat.project.editing import write_settings
from preheat.project.model import Project, Weights
from preheat.tuning.manifest import FILE, FOLDER
from preheat.tuning.tune import Tuned
from preheat.tuning.variants import DATA, DEFAULT, MODEL, PREPACKED

DEFERRED = (signal.SIGINT, signal.SIGTERM)


def bake(project: Project, tuned: Tuned, *, check: Callable[[Path], object]) -> Path | None:
    """Write the chosen variant and return its folder; None where the model is best as it is.

    What was there before is replaced in one step that signals wait for. `check` reads the project again;
    what it raises leaves preheat.toml as it was.
    """
    if tuned.chosen.variant == DEFAULT:
        return None
    name = tuned.subject.name
    settings = {f"weights.{name}.source": f"file:{FOLDER}/{name}", f"weights.{name}.sha256": None}
    final = project.root / FOLDER / name
    new, old = (final.with_name(f".{name}.{os.getpid()}.{kind}") for kind in ("new", "old"))
    try:
        _write(tuned, new)
        with _undisturbed():
            if final.exists():
                final.rename(old)
            new.rename(final)
            write_settings(project.root, project.stage, settings, check=check)
            _leave_out(project.root, tuned.subject.origin)
    except OSError as exc:
        raise TuningError(f"{final} could not be written: {exc.strerror}.") from exc
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return final


def _write(tuned: Tuned, folder: Path) -> None:
    folder.mkdir(parents=True)
    for path in tuned.beside:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tuned.subject.folder / path, folder / path)
    for file in (MODEL, DATA, PREPACKED):
        if (tuned.made.folder / file).is_file():
            shutil.copyfile(tuned.made.folder / file, folder / file)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
    text = json.dumps({**tuned.document, "files": sizes}, indent=1)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def _leave_out(root: Path, origin: Weights) -> None:
    """Keep the original out of the code layer: it is in the project still, and no weights any more."""
    place = local_path(root, origin)
    if place is None:
        return
    line = "/" + re.sub(r"([\\*?\[\]!# ])", r"\\\1", place.relative_to(root.resolve()).as_posix())
    file = root / IGNORE_FILES[0]
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    if line not in text.splitlines():
        gap = "" if not text or text.endswith("\n") else "\n"
        new = file.with_name(f"{file.name}.new")
        new.write_text(f"{text}{gap}{line}\n", encoding="utf-8")
        new.replace(file)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let Ctrl-C wait until the block is done."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, DEFERRED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
