"""Rules for object keys: which are safe, which a trigger takes, and what its results may set off. Pure."""

from preheat.errors import BadInput

LONGEST_KEY = 1024
"""In bytes of UTF-8 (S3 user guide, "Naming Amazon S3 objects")."""
UNFINISHED = (".tmp", ".part")


def check_key(key: str) -> None:
    """Raise BadInput unless `key` can be the key of an object."""
    try:
        length = len(key.encode())
    except UnicodeEncodeError as error:
        raise BadInput(f"The object's name {key!r} is not UTF-8.") from error
    if not 0 < length <= LONGEST_KEY:
        raise BadInput(f"The key has {length} bytes. A key has 1 to {LONGEST_KEY}.")


def check_path(key: str) -> None:
    """Raise BadInput unless `key` names a file inside a folder, whatever the folder is."""
    if "\0" in key or any(part in ("", ".", "..") for part in key.split("/")):
        raise BadInput(f"The key {key!r} has an empty, '.' or '..' part, or a NUL: no file has that path.")


def unfinished(key: str) -> bool:
    """Say whether a file is hidden or marked as still being written (`.tmp`, `.part`)."""
    return any(part.startswith(".") for part in key.split("/")) or key.lower().endswith(UNFINISHED)


def split_output(output: str) -> tuple[str, str]:
    """Return bucket and prefix of `BUCKET/PREFIX`; a prefix is a folder and ends in `/`."""
    bucket, _, prefix = output.partition("/")
    return bucket, f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""


def feeds(output: str, prefix: str, watched: str) -> bool:
    """Say whether results under `output` of keys that begin with `prefix` can begin with `watched`.

    `output` and `watched` are whole locations, so that buckets inside one another are seen.
    """
    written = output + prefix
    return written.startswith(watched) or watched.startswith(written)
