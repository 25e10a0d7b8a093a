"""Whatever the bytes and their media type, decoding answers, or raises what is the caller's mistake."""

import contextlib
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from io import BytesIO
from typing import Annotated, Any, Literal
from uuid import UUID

import numpy
import PIL.Image
from annotated_types import Ge, Gt, Len, MultipleOf
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from tests.fakes.annotations import json_values

from preheat.errors import RequestError
from preheat.interface.body import decode_body
from preheat.interface.codec import codec_for
from preheat.interface.jsontext import write_json
from preheat.interface.manifest import Limits
from preheat.interface.media import NPY, File, Image, Tensor

JSON = "application/json"
FORM = "multipart/form-data; boundary=X"


class Color(Enum):
    RED = "red"
    BLUE = 7


@dataclass
class Left:
    kind: Literal["left"]
    at: datetime


@dataclass
class Right:
    kind: Literal["right"]
    on: date
    id: UUID


@dataclass
class Upload:
    file: File
    title: str = ""
    numbers: list[float] | None = None
    vector: Annotated[numpy.ndarray, Tensor("float32", (None,))] | None = None


class Model(BaseModel):
    text: str
    number: int | float | None = None
    price: Decimal = Decimal(1)


MATRIX = Annotated[numpy.ndarray, Tensor("float32", (None, None))]
BYTE = Annotated[numpy.ndarray, Tensor("int8", (None,))]
HALF = Annotated[numpy.ndarray, Tensor("float16", ())]
ANNOTATIONS: list[Any] = [
    *(None, bool, int, float, str, bytes, Any, Color, Decimal, datetime, date, UUID),
    Literal["a", 1, None],
    Annotated[int, MultipleOf(0.5), Ge(-(10**30))],
    Annotated[float, MultipleOf(0.1), Gt(0)],
    Annotated[list[int | str], Len(1, 3)],
    tuple[int, str],
    tuple[float, ...],
    dict[str, list[bool]],
    Left | Right | None,
    *(File, Image, Upload, Model, list[Model], MATRIX, BYTE, HALF),
]
CODECS = [codec_for(annotation) for annotation in ANNOTATIONS]

HUGE = [10**400, -(10**400), 2**63, 2**64, 1e308, 5e-324, -0.0]
FAR = [
    "1e9999",
    "0000-00-00",
    "9999-12-31T23:59:59-23:59",
    "2025-01-31T12:00:60Z",
    "2025-01-31T24:00:00+99:99",
]
keys = st.sampled_from(
    ["kind", "at", "on", "id", "file", "data", "title", "numbers", "vector", "text", "price"]
)
values = st.recursive(
    json_values | st.sampled_from(HUGE) | st.sampled_from(FAR),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=6,
)


def npy(descr: str, fortran: bool, shape: str, data: bytes) -> bytes:
    header = f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}}}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


sizes = st.sampled_from([0, 1, 2, 3, -1, 2**31, 2**32, 2**62, 2**63, 10**40])
shapes = st.lists(sizes, max_size=4).map(tuple).map(repr) | st.sampled_from(
    ["(1.0,)", "(True,)", "[1]", "(" * 90, "-" * 300 + "1", "{[]: 1}", "(1 << 70,)", "'\\ud800'"]
)
descrs = st.sampled_from(["<f4", ">f4", "|i1", "<f2", "<f8", "|O8", "|V4", "<U1"])
arrays = st.builds(npy, descrs, st.booleans(), shapes, st.sampled_from([b"", b"\0" * 4, b"\xff" * 8]))


def picture(form: str) -> bytes:
    written = BytesIO()
    PIL.Image.linear_gradient("L").resize((9, 7)).convert("RGB").save(written, form)
    return written.getvalue()


def part(name: str, media_type: str, data: bytes) -> bytes:
    head = f'content-disposition: form-data; name="{name}"; filename="x"\r\ncontent-type: {media_type}'
    return b"--X\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n"


SEEDS = [
    *map(picture, ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")),
    part("file", "image/png", b"abc") + part("title", "text/plain", b"hi") + b"--X--",
    part("file", "a/b", b"") + part("numbers", JSON, b"[1, 2]") + part("vector", NPY, b"") + b"--X--",
]


@st.composite
def damaged(draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    """Draw a good body of another kind than JSON with a few places in it changed."""
    body = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 4))] = draw(
            st.binary(max_size=4) | st.sampled_from([b"\r\n", b"--X", b'"'])
        )
    return bytes(body)


bodies = st.one_of(
    values.map(write_json),
    st.binary(max_size=60),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    arrays,
    damaged(),
)
media_types = st.sampled_from([JSON, "", "text/plain", "application/octet-stream", "image/png", NPY, FORM])


@settings(max_examples=500, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(CODECS), bodies, media_types)
@example(codec_for(MATRIX), npy("<f4", False, "(0, 10000000000000000000000000)", b""), NPY)
@example(codec_for(Annotated[int, MultipleOf(0.5)]), b"1" + b"0" * 400, JSON)
def test_whatever_the_bytes_decoding_answers_or_blames_the_caller(
    codec: Any, body: bytes, media_type: str
) -> None:
    with contextlib.suppress(RequestError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about what is odd in a file
        decode_body(codec, body, media_type, Limits(pixels=100_000))
