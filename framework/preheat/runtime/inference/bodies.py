"""Tensors as one of the bodies that /invocations takes: an object in JSON, or a form with NPY parts. Pure."""

import json
from collections.abc import Mapping, Set
from typing import Any, NamedTuple
from uuid import uuid4

from preheat.errors import BadInput
from preheat.interface.media import NPY
from preheat.interface.message import JSON_TYPE
from preheat.runtime.inference.datatypes import BYTES
from preheat.runtime.inference.npy import write_npy
from preheat.runtime.inference.tensors import Tensor, nest


class Body(NamedTuple):
    """The body of one engine call."""

    content_type: str
    data: bytes


def write_object(item: Mapping[str, Tensor], *, scalars: Set[str]) -> Body:
    """Return the fields as one JSON object. Raises BadInput for what JSON cannot hold."""
    return Body(JSON_TYPE, _json({name: _value(tensor, name in scalars) for name, tensor in item.items()}))


def write_form(item: Mapping[str, Tensor], *, scalars: Set[str]) -> Body:
    """Return the fields as a form (RFC 7578), in which arrays travel raw. Raises BadInput as above.

    Their names must be identifiers, which need no escaping.
    """
    # 128 random bits, made after the caller has sent what is in the parts.
    boundary = uuid4().hex
    pieces: list[bytes] = []
    for name, tensor in item.items():
        if name in scalars:
            part = Body(JSON_TYPE, _json(_value(tensor, scalar=True)))
        else:
            part = Body(NPY, write_npy(tensor))
        head = (
            f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"\r\n'
            f"content-type: {part.content_type}\r\n\r\n"
        )
        pieces += [head.encode(), part.data, b"\r\n"]
    return Body(
        f"multipart/form-data; boundary={boundary}", b"".join([*pieces, f"--{boundary}--\r\n".encode()])
    )


def _value(tensor: Tensor, scalar: bool) -> Any:
    values = tensor.values()
    if tensor.datatype == BYTES:
        try:
            values = [value.decode() for value in values]
        except UnicodeDecodeError as exc:
            raise BadInput(f"Input {tensor.name!r} is no UTF-8.") from exc
    return values[0] if scalar else nest(values, tensor.shape)


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, allow_nan=False).encode()
    except ValueError as exc:
        raise BadInput("NaN and infinity are not offered.") from exc
