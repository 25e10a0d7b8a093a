"""What the handler gets of an object, and how what it answers is named and written. Pure."""

import json
import mimetypes
from pathlib import PurePosixPath

from preheat.runtime.objects.events import ObjectRecord, encode_key

BUCKET_HEADER = "x-preheat-bucket"
KEY_HEADER = "x-preheat-key"
EVENT_HEADER = "x-preheat-event-id"

# Without the system's own tables: the same name gives the same type on every machine.
_TYPES = mimetypes.MimeTypes(filenames=())
for _type, _extension in (
    ("image/webp", ".webp"),
    ("application/x-npy", ".npy"),
    ("application/x-ndjson", ".jsonl"),
    ("text/markdown", ".md"),
):
    _TYPES.add_type(_type, _extension)
_STREAMS = {"text/event-stream": ".txt"}
"""What is written with an extension that stands for another type."""


def request_headers(record: ObjectRecord) -> dict[str, str]:
    """Return the headers that tell the handler which object its input is."""
    return {
        BUCKET_HEADER: record.bucket,
        KEY_HEADER: encode_key(record.key),
        EVENT_HEADER: record.event_id,
    }


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
    return f"{prefix}{key}{_STREAMS.get(essence) or _TYPES.guess_extension(essence) or '.bin'}"


def result_body(record: ObjectRecord, media_type: str, answer: bytes) -> bytes:
    """Return what is written for an answer: `{"object": ..., "result": ANSWER}` if that is JSON, else itself.

    The answer's own bytes go into the document, so that no number changes.
    """
    if not is_json(media_type):
        return answer
    named = {"bucket": record.bucket, "key": record.key, "etag": record.etag}
    return b'{"object": %b, "result": %b}\n' % (json.dumps(named, ensure_ascii=False).encode(), answer)
