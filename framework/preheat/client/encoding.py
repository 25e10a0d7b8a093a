"""From a Python value to the body of a request, as the endpoint's contract allows. Reads files."""

import dataclasses
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from preheat.client.checking import check_input
from preheat.client.contract import FORM, Contract
from preheat.client.raw import (
    Raw,
    is_array,
    is_raw,
    media_type_of,
    misfit_of_array,
    name_of,
    npy_of,
    raw_as_json,
)
from preheat.client.uploads import FormPart, OnDisk, Upload, content_boundary, form_upload
from preheat.errors import BadInput
from preheat.interface.codec import Codec, codec_for
from preheat.interface.media import NPY, OCTETS, File
from preheat.interface.mediatype import in_range, parse_media_type
from preheat.interface.message import JSON_TYPE
from preheat.interface.nodes.models import is_model
from preheat.interface.nodes.node import Misfit, Node
from preheat.interface.place import Place, pointer

_PLAIN = {str, int, float, bool, type(None)}


def encode_input(value: Any, contract: Contract, boundary: str | None) -> tuple[str, bytes | Upload]:
    """Return the content type and the body of `value`. Raises BadInput for what the endpoint would refuse.

    One file, its path, bytes or an array travel raw, and files and arrays among the fields of an object
    as a form, where the handler takes them so; everything else as JSON. `boundary` separates the parts
    of a form; without one it comes from their content.
    """
    try:
        plain = _plain(value)
        if is_raw(plain) and (media_type := _raw_type(plain, contract)):
            content = _content(plain)
            return media_type, content if isinstance(content, bytes) else Upload((content,))
        if not is_raw(plain) or FORM not in contract.input_media:
            check_input(plain, contract)
        if is_array(plain) and NPY in contract.input_media:
            return NPY, npy_of(plain)
        parts = _parts(plain, contract) if FORM in contract.input_media else None
        if parts:
            boundary = boundary or content_boundary(parts)
            return f"{FORM}; boundary={boundary}", form_upload(parts, boundary)
        return JSON_TYPE, _json(plain)
    except RecursionError as exc:
        raise BadInput("The input is nested too deeply, or contains itself.") from exc


@lru_cache(maxsize=256)
def compiled(annotation: Any) -> Codec:
    """Return the codec of `annotation`, compiled once. Raises HandlerError."""
    return codec_for(annotation)


def _plain(value: Any) -> Any:
    """Return `value` with dataclasses as the JSON objects of a handler's codec; files and arrays stay."""
    if is_raw(value) or is_array(value):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _record(value)
    if isinstance(value, Mapping):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return list(value) if set(map(type, value)) <= _PLAIN else [_plain(member) for member in value]
    kind: Any = type(value)
    if is_model(kind):
        return _written(compiled(kind).node, value, None)
    return value.tolist() if hasattr(value, "__array__") else value


def _record(value: Any) -> Any:
    kind: Any = type(value)
    node = compiled(kind).node
    if not node.fields:
        return _written(node, value, None)
    return {name: _member(getattr(value, name), name, member) for name, member in node.fields.items()}


def _member(value: Any, name: str, node: Node) -> Any:
    if is_raw(value) or is_array(value) or (isinstance(value, list) and value and all(map(is_raw, value))):
        return value
    return _written(node, value, (None, name))


def _written(node: Node, value: Any, place: Place) -> Any:
    try:
        return node.write(value, place)
    except Misfit as exc:
        at = pointer(exc.place)
        where = f" at {at}" if at else ""
        raise BadInput(
            f"The input does not fit {node.name}{where}: {exc.detail}.", errors=[(at, exc.detail)]
        ) from exc


def _raw_type(value: Raw, contract: Contract) -> str | None:
    """Return the media type of a body that is `value`; None where it may not be, or has a name to keep."""
    if name_of(value) is not None and FORM in contract.input_media:
        return None
    media_type = media_type_of(value)
    return next((each for each in (media_type, OCTETS) if _accepted(each, contract)), None)


def _accepted(media_type: str, contract: Contract) -> bool:
    kind, _ = parse_media_type(media_type)
    if kind in (FORM, JSON_TYPE) or kind.endswith("+json"):
        return False
    return any(in_range(kind, each) for each in contract.input_media if each not in (FORM, JSON_TYPE))


def _content(value: Raw) -> bytes | OnDisk:
    if isinstance(value, bytes):
        return value
    return value.data if isinstance(value, File) else OnDisk.at(value)


def _parts(value: Any, contract: Contract) -> list[FormPart] | None:
    """Return the parts of a form, or None where nothing in it would travel better than in JSON."""
    if is_raw(value):
        return [_part("file", value)]
    if not isinstance(value, Mapping):
        return None
    parts: list[FormPart] = []
    for name, member in value.items():
        if isinstance(member, list) and not member and contract.lists_attachments(contract.field(name)):
            return None  # a form cannot say that a list of files is empty
        several = isinstance(member, list) and bool(member) and all(map(is_raw, member))
        parts += [_field(str(name), each, contract) for each in (member if several else [member])]
    return parts if any(part.media_type != JSON_TYPE for part in parts) else None


def _field(name: str, value: Any, contract: Contract) -> FormPart:
    # A part of this type is read as JSON, also for a file.
    if is_raw(value) and parse_media_type(media_type_of(value))[0] != JSON_TYPE:
        return _part(name, value)
    if is_array(value):
        spec = contract.tensor(contract.field(name))
        if spec is not None and misfit_of_array(value, spec) is None:
            return FormPart(name, npy_of(value), NPY)
    return FormPart(name, _json(value), JSON_TYPE)


def _part(name: str, value: Raw) -> FormPart:
    return FormPart(name, _content(value), media_type_of(value), name_of(value))


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=raw_as_json).encode()
    except (TypeError, ValueError) as exc:
        raise BadInput(f"The input cannot be written as JSON: {exc}.") from exc
