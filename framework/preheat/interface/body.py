"""Whole bodies: a request's bytes to the handler's input, and its result to a response's bytes."""

from typing import Any

from preheat.errors import BodyTooLarge, UnsupportedMedia
from preheat.interface.codec import Codec
from preheat.interface.form import read_form, takes_form
from preheat.interface.jsontext import read_json, read_text, write_json
from preheat.interface.manifest import Limits
from preheat.interface.media import NPY, OCTETS, File
from preheat.interface.mediatype import check_charset, choose, in_range, parse_media_type
from preheat.interface.message import JSON_TYPE
from preheat.interface.multipart import split_form
from preheat.interface.nodes.node import Node, Part

FORM = "multipart/form-data"
TEXT = "text/plain"
_URLENCODED = "application/x-www-form-urlencoded"


def decode_body(codec: Codec, body: bytes, content_type: str, limits: Limits) -> Any:
    """Return the input in `body`. Raises BadInput, BodyTooLarge and UnsupportedMedia.

    `application/json` is always JSON, also where a File is asked for: send a JSON file under
    another type, such as application/octet-stream.
    """
    if len(body) > limits.body_bytes:
        raise BodyTooLarge(f"The body has {len(body)} bytes; the limit is {limits.body_bytes}.")
    node = codec.node
    kind, parameters = parse_media_type(content_type or (OCTETS if node.media else JSON_TYPE))
    if kind == JSON_TYPE or (kind.endswith("+json") and not _takes(node, kind)):
        check_charset(kind, parameters)
        return codec.decode(read_json(body, depth=limits.depth), limits)
    if kind == FORM and takes_form(node):
        return codec.decode(read_form(node, split_form(body, parameters.get("boundary", "")), limits), limits)
    if kind == TEXT and node.name == "str":
        check_charset(kind, parameters)
        return codec.decode(read_text(body), limits)
    if _takes(node, kind) and kind != FORM:
        return codec.decode(Part(body, content_type or OCTETS), limits)
    hint = ""
    if kind == _URLENCODED:
        hint = f" (curl sends this one unless told otherwise; add -H 'content-type: {JSON_TYPE}')"
    raise UnsupportedMedia(
        f"The input cannot be read from {kind or 'a body without a content type'!r}{hint}. "
        f"Accepted are {', '.join(input_media(codec))}."
    )


def encode_body(codec: Codec, value: Any, accept: str) -> tuple[str, bytes]:
    """Return the content type and the bytes of a result, as `accept` likes it. Raises HandlerFailed.

    Files, images and bytes travel raw unless JSON is preferred; arrays as JSON unless NPY is.
    """
    media = codec.node.media
    if media == (NPY,) and choose(accept, (JSON_TYPE, NPY)) == NPY:
        codec.encode(value)
        from preheat.interface.npy import write_npy  # NumPy is here only where a Tensor is used

        return NPY, write_npy(value)
    written = codec.encode(value)
    if media and isinstance(value, File) and choose(accept, (value.media_type, JSON_TYPE)) != JSON_TYPE:
        return value.media_type, value.data
    if media and isinstance(value, bytes) and choose(accept, (OCTETS, JSON_TYPE)) == OCTETS:
        return OCTETS, value
    return JSON_TYPE, write_json(written)


def input_media(codec: Codec) -> tuple[str, ...]:
    """Return the media types that an input may come in; JSON is always among them."""
    node = codec.node
    raw = (TEXT,) if node.name == "str" else node.media
    return (*raw, JSON_TYPE, *((FORM,) if takes_form(node) else ()))


def output_media(codec: Codec) -> tuple[str, ...]:
    """Return the media types that a result may be asked for in, the one without asking first."""
    media = codec.node.media
    return (JSON_TYPE, NPY) if media == (NPY,) else (*media, JSON_TYPE)


def _takes(node: Node, kind: str) -> bool:
    return any(in_range(kind, accepted) for accepted in node.media)
