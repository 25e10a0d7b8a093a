"""Rules for object keys: which are safe, which a trigger takes, and where a result goes. Pure."""

import mimetypes
from pathlib import PurePosixPath

from preheat.errors import BadInput

LONGEST_KEY = 1024
"""In bytes of UTF-8 (S3 user guide, "Naming Amazon S3 objects")."""
UNFINISHED = (".tmp", ".part")

# Without the system's own tables: the same name gives the same type on every machine.
_TYPES = mimetypes.MimeTypes(filenames=())
for _type, _extension in (
    ("image/webp", ".webp"),
    ("application/x-npy", ".npy"),
    ("application/x-ndjson", ".jsonl"),
    ("text/markdown", ".md"),
    ("text/event-stream", ".txt"),
):
    _TYPES.add_type(_type, _extension)


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


def content_type(key: str) -> str:
    """Return the media type that the key's name stands for."""
    guessed, encoding = _TYPES.guess_type(PurePosixPath(key).name)
    return "application/octet-stream" if guessed is None or encoding is not None else guessed


def is_json(media_type: str) -> bool:
    """Say whether a body of this type is one JSON value."""
    essence = media_type.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def result_key(prefix: str, key: str, media_type: str) -> str:
    """Return where the result of `key` goes: the key under `prefix`, with the answer's extension added."""
    if is_json(media_type):
        return f"{prefix}{key}.json"
    essence = media_type.partition(";")[0].strip().lower()
    return f"{prefix}{key}{_TYPES.guess_extension(essence) or '.bin'}"


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
