"""What a layer is, as data: relative paths, modes and contents; its digest follows from nothing else.

Times, owners, the umask, the order of creation and the folder's own name do not count. Whoever
writes a layer to an archive uses `mode` and a fixed time, so that the archive is reproducible too.
"""

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from preheat.errors import BundleError


@dataclass(frozen=True, slots=True)
class File:
    """One file of a layer. `source` is where its content is now, or the content itself."""

    source: Path | bytes
    sha256: str
    bytes: int
    executable: bool = False

    @property
    def mode(self) -> int:
        """The normalised permission bits: 0755 for what can be run, 0644 for the rest."""
        return 0o755 if self.executable else 0o644


Tree = Mapping[str, File]
"""A layer's files by path: relative, `/` between the parts."""


def tree_digest(tree: Tree) -> str:
    """Return `sha256:HEX` over the sorted paths, modes and contents of `tree`."""
    total = hashlib.sha256()
    for path, file in sorted(tree.items()):
        total.update(f"{path}\0{file.mode:o}\0{file.sha256}\n".encode())
    return f"sha256:{total.hexdigest()}"


def tree_bytes(tree: Tree) -> int:
    """Return what the files of `tree` weigh together."""
    return sum(file.bytes for file in tree.values())


def read_file(path: Path) -> File:
    """Read one file from disk."""
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    status = path.stat()
    return File(path, digest, status.st_size, bool(status.st_mode & 0o100))


def read_files(paths: Mapping[str, Path]) -> dict[str, File]:
    """Read many files; hashing runs on two threads, as it releases the interpreter lock."""
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(paths, pool.map(read_file, paths.values()), strict=True))


def content_file(content: bytes) -> File:
    """Return a file made of `content`."""
    return File(content, hashlib.sha256(content).hexdigest(), len(content))


def read_folder(folder: Path) -> dict[str, File]:
    """Read every file below `folder`. Raises BundleError for a symbolic link or a special file."""
    return read_files(dict(_walk(folder)))


def _walk(folder: Path) -> Iterable[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise BundleError(f"{path} is neither a file nor a folder; a layer holds nothing else.")
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def safe_path(path: str) -> str:
    """Return `path` if it is relative and stays inside its folder. Raises BundleError otherwise."""
    parts = path.split("/")
    if not path or "\\" in path or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise BundleError(f"{path!r} is not a path inside its folder, so it is refused.")
    return path
