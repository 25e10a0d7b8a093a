"""Whether a path written in preheat.toml stays where it belongs. Reads links on disk, nothing else."""

from pathlib import Path, PurePosixPath


def inside(root: Path, written: str) -> str | None:
    """Return why `written` is no path inside `root`, to follow it in a sentence; None when it is one."""
    path = PurePosixPath(written)
    if path.is_absolute() or written.startswith("~"):
        return "is not relative to the project's folder"
    if ".." in path.parts:
        return "leaves the project's folder"
    try:
        target = (root / path).resolve()
        target.exists()
    except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, a NUL
        return f"is no usable path: {error}"
    return None if target.is_relative_to(root.resolve()) else "leaves the project's folder through a link"


def unsafe_key(key: str) -> str | None:
    """Return why `key` is no key or prefix that can be a path below a bucket; None when it is one."""
    if key.startswith("/"):
        return "starts with a slash, which keys in a bucket do not"
    if any(part in {".", ".."} for part in key.split("/")):
        return "contains a '.' or '..' segment"
    if "\\" in key or "//" in key:
        return "contains a backslash or an empty segment"
    return None


def clean_key(key: str) -> str:
    """Return the safe key that is nearest to `key`."""
    parts = key.replace("\\", "/").split("/")
    kept = "/".join(part for part in parts if part not in {"", ".", ".."})
    return f"{kept}/" if kept and key.endswith("/") else kept
