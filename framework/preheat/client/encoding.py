"""From a Python value to the body of a request, as the contract's `input_media` allow. Pure."""

import base64
import dataclasses
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from preheat.errors import BadInput, HandlerFailed
from preheat.interface.codec import Codec, codec_for
from preheat.interface.media import NPY, OCTETS, File
from preheat.interface.mediatype import in_range, parse_media_type
from preheat.interface.message import JSON_TYPE

_NEVER_RAW = ("multipart/form-data", JSON_TYPE)


def encode_input(value: Any, input_media: Sequence[str]) -> tuple[str, bytes]:
    """Return the content type and the bytes of `value`. Raises BadInput for what has no JSON form.

    Files, images, bytes and arrays travel raw where the handler takes them so, everything else as JSON.
    A named file travels as JSON, which keeps the name.
    """
    if isinstance(value, File) and value.name is None and _raw(value.media_type, input_media):
        return value.media_type, value.data
    if isinstance(value, bytes) and _raw(OCTETS, input_media):
        return OCTETS, value
    if hasattr(value, "__array__") and NPY in input_media:
        from preheat.interface.npy import write_npy  # NumPy is the caller's

        return NPY, write_npy(value)
    try:
        return JSON_TYPE, json.dumps(to_json(value), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as exc:
        raise BadInput(f"The input cannot be written as JSON: {exc}.") from exc


def to_json(value: Any) -> Any:
    """Return the JSON value of `value`: dataclasses and files as a handler's codec writes them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = File if isinstance(value, File) else type(value)
        try:
            return compiled(kind).encode(value)
        except HandlerFailed as exc:
            where = exc.errors[0][0] if exc.errors else ""
            detail = exc.errors[0][1] if exc.errors else exc.message
            at = f" at {where}" if where else ""
            raise BadInput(
                f"The input does not fit {kind.__name__}{at}: {detail}.", errors=exc.errors
            ) from exc
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {key: to_json(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(member) for member in value]
    return value.tolist() if hasattr(value, "__array__") else value


@lru_cache(maxsize=256)
def compiled(annotation: Any) -> Codec:
    """Return the codec of `annotation`, compiled once. Raises HandlerError."""
    return codec_for(annotation)


def _raw(media_type: str, accepted: Sequence[str]) -> bool:
    kind, _ = parse_media_type(media_type)
    if kind in _NEVER_RAW or kind.endswith("+json"):
        return False
    return any(in_range(kind, each) for each in accepted if each not in _NEVER_RAW)
