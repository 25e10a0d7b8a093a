"""The scratch folders of a server's processes: working directory, TMPDIR and the handler's `ctx.tmp`."""

import os
from pathlib import Path


def make() -> Path:
    """Make a folder that is this server's own, below TMPDIR."""
    above = Path(os.environ.get("TMPDIR", "/tmp"))  # noqa: S108 - the folder in it is new, and its owner's only
    path = above / f"preheat-{os.getpid()}-{os.urandom(4).hex()}"
    path.mkdir(mode=0o700)
    return path


def make_for(folder: Path, slot: int) -> Path:
    """Make the folder of one worker in its host's, in place of what a predecessor left."""
    path = folder / str(slot)
    if path.exists():
        remove(path)
    path.mkdir(mode=0o700)
    return path


def remove(path: Path) -> None:
    """Remove a folder and what is in it, whatever that is."""
    import shutil  # 6 ms that a start need not wait for

    shutil.rmtree(path, ignore_errors=True)
