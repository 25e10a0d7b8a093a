"""Which files of a project are its code. In: the folder. Out: paths, without what ignore files exclude.

.gitignore counts as git reads it (nested files, the last match wins, from the top of the checkout
down), and .preheatignore in the same syntax is asked first, so that it can also bring files back.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

from preheat.bundle.image.pins import LOCK as IMAGE_LOCK
from preheat.bundle.lock import LOCK
from preheat.errors import BundleError

IGNORE_FILES = (".preheatignore", ".gitignore")
NEVER = frozenset({".git", ".venv", "__pycache__", ".preheat", *IGNORE_FILES})
NEVER_AT_ROOT = frozenset({LOCK, IMAGE_LOCK, "preheat.toml"})
VENV_MARK = "pyvenv.cfg"


class _Ignore:
    """The ignore files from the top of the checkout down to one folder; the deepest is asked first."""

    def __init__(self, folder: Path, parent: "_Ignore | None") -> None:
        self.folder = folder
        self.parent = parent
        self.specs = []
        for name in IGNORE_FILES:
            try:
                lines = (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
            except (FileNotFoundError, IsADirectoryError):
                continue
            self.specs.append(GitIgnoreSpec.from_lines(lines))

    def excludes(self, path: Path, *, is_folder: bool) -> bool:
        level: _Ignore | None = self
        while level is not None:
            relative = path.relative_to(level.folder).as_posix() + ("/" if is_folder else "")
            for spec in level.specs:
                if (answer := spec.check_file(relative).include) is not None:
                    return answer
            level = level.parent
        return False


def project_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield (relative path, path) of every file that is the project's code, in order.

    A symbolic link to a file inside the project counts as that file. Raises BundleError for any
    other link, as a bundle holds none.
    """
    root = root.resolve()
    yield from _walk(root, root, _Ignore(root, _above(root)))


def ignore_files(root: Path) -> Iterator[Path]:
    """Yield the ignore files above and at `root` that exist."""
    level: _Ignore | None = _Ignore(root.resolve(), _above(root.resolve()))
    while level is not None:
        yield from (level.folder / name for name in IGNORE_FILES if (level.folder / name).is_file())
        level = level.parent


def _above(root: Path) -> _Ignore | None:
    """Return the ignore files between the top of the checkout and `root`; none outside of a checkout."""
    above = []
    for folder in (root, *root.parents):
        if folder != root:
            above.append(folder)
        if (folder / ".git").exists():
            ignore = None
            for parent in reversed(above):
                ignore = _Ignore(parent, ignore)
            return ignore
    return None


def _walk(folder: Path, root: Path, ignore: _Ignore) -> Iterator[tuple[str, Path]]:
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    if any(entry.name == VENV_MARK for entry in entries):
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.name in NEVER or (folder == root and entry.name in NEVER_AT_ROOT):
            continue
        is_folder = entry.is_dir(follow_symlinks=False)
        if ignore.excludes(path, is_folder=is_folder):
            continue
        if is_folder:
            yield from _walk(path, root, _Ignore(path, ignore))
        else:
            yield path.relative_to(root).as_posix(), _file(path, root)


def _file(path: Path, root: Path) -> Path:
    real = path.resolve()
    if real.is_file() and real.is_relative_to(root):
        return real
    place = path.relative_to(root)
    if path.is_symlink():
        reason = "leads out of the project" if not real.is_relative_to(root) else "leads to no file"
        message = f"The symbolic link {place} {reason} ({path.readlink()}), and a bundle holds only files."
    else:
        message = f"{place} is neither a file nor a folder."
    raise BundleError(
        message, hint=f"Replace it by what it stands for, or exclude it: echo '/{place}' >> .preheatignore"
    )
