import contextlib
import math
from io import BytesIO
from typing import Annotated, Any, TypeVar

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from jsonschema import Draft202012Validator
from typing_extensions import TypeAliasType

from preheat.errors import BadInput, HandlerError, HandlerFailed
from preheat.interface.body import decode_body, encode_body
from preheat.interface.codec import Codec, codec_for
from preheat.interface.jsontext import read_json, write_json
from preheat.interface.manifest import Limits
from preheat.interface.media import NPY, Tensor
from preheat.interface.nodes.tensors import DTYPES
from preheat.interface.npy import NotNpy, read_npy, write_npy


def codec_of(dtype: str, *shape: int | None) -> Codec:
    return codec_for(Annotated[numpy.ndarray, Tensor(dtype, shape)])


def mistakes(codec: Codec, value: Any) -> dict[str, str]:
    with pytest.raises(BadInput) as caught:
        codec.decode(value)
    return dict(caught.value.errors)


def arrays(dtype: str) -> st.SearchStrategy[Any]:
    finite = {"allow_nan": False, "allow_infinity": False} if dtype.startswith("float") else None
    return npst.arrays(dtype, npst.array_shapes(min_dims=0, min_side=0, max_dims=3), elements=finite)


@given(st.sampled_from(DTYPES).flatmap(arrays))
def test_json_and_npy_both_carry_an_array_unchanged(array: Any) -> None:
    codec = codec_of(array.dtype.name, *(None,) * array.ndim)
    document = read_json(write_json(codec.encode(array)), depth=64)
    Draft202012Validator(codec.schema).validate(document)
    media_type, raw = encode_body(codec, array, NPY)
    assert media_type == NPY
    for again in (codec.decode(document), decode_body(codec, raw, NPY, Limits())):
        assert again.dtype == array.dtype
        assert again.flags.writeable
        # A list of no rows does not say how long they would be.
        assert again.shape == array.shape or array.size == 0
        assert numpy.array_equal(again.reshape(array.shape), array)


def test_the_schema_gives_the_shape_and_the_range() -> None:
    schema = codec_of("uint8", None, 2).schema
    assert schema["items"] == {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": 255},
        "minItems": 2,
        "maxItems": 2,
    }
    assert schema["x-preheat-tensor"] == {"dtype": "uint8", "shape": [None, 2]}


@pytest.mark.parametrize(("dtype", "bound"), [("float16", 65520.0), ("float32", (2 - 2**-24) * 2.0**127)])
def test_the_range_of_floats_ends_where_rounding_gives_infinity(dtype: str, bound: float) -> None:
    codec = codec_of(dtype, None)
    validator = Draft202012Validator(codec.schema)
    for inside in (math.nextafter(bound, 0), -math.nextafter(bound, 0)):
        assert numpy.isfinite(codec.decode([inside])).all()
        assert validator.is_valid([inside])
    for outside in (bound, -bound):
        with pytest.raises(BadInput, match="finite"):
            codec.decode([outside])
        assert not validator.is_valid([outside])


@pytest.mark.parametrize(
    ("dtype", "shape", "value", "found"),
    [
        ("float32", (None, 2), [[1, 2], [3]], {"/1": "expected an array of 2, got one of 1"}),
        ("float32", (None, None), [[1, 2], [3]], {"/1": "expected an array of 2, got one of 1"}),
        ("float32", (2,), [1, "2"], {"/1": "expected a number, got the string '2'"}),
        ("float32", (2,), [1, True], {"/1": "expected a number, got true"}),
        ("float32", (None, 1), [[1], 2], {"/1": "expected an array, got the integer 2"}),
        ("float32", (2,), [1, 1e39], {"/1": "expected a finite number within the range of float32"}),
        ("float32", (1,), [10**400], {"": "expected numbers within the range of float32"}),
        ("int8", (2,), [1, 128], {"/1": "expected an integer within the range of int8, got 128"}),
        ("int64", (1,), [2**63], {"/0": f"expected an integer within the range of int64, got {2**63}"}),
        ("uint64", (1,), [-1], {"/0": "expected an integer within the range of uint64, got -1"}),
        ("int32", (2,), [1.0, 1.5], {"/1": "expected an integer, got the number 1.5"}),
        ("bool", (2,), [True, 1], {"/1": "expected true or false, got the integer 1"}),
        ("float64", (), [], {"": "expected a number, got an array of 0"}),
    ],
)
def test_lists_that_are_no_such_array_are_named(
    dtype: str, shape: tuple[int | None, ...], value: Any, found: dict[str, str]
) -> None:
    assert mistakes(codec_of(dtype, *shape), value) == found


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ([[1.0]], "expected a numpy.ndarray of float32, got list"),
        (numpy.zeros((1, 2)), "expected the dtype float32, got float64; .astype('float32') makes it one"),
        (numpy.zeros((1, 3), "float32"), "expected the shape (any, 2), got (1, 3)"),
        (numpy.array([[1, numpy.nan]], "float32"), "expected a finite number, got nan"),
    ],
)
def test_a_result_that_is_no_such_array_is_refused(value: Any, detail: str) -> None:
    for accept in ("application/json", NPY):
        with pytest.raises(HandlerFailed) as caught:
            encode_body(codec_of("float32", None, 2), value, accept)
        assert caught.value.errors[0][1] == detail


def npy(array: Any, version: tuple[int, int] = (1, 0)) -> bytes:
    out = BytesIO()
    numpy.lib.format.write_array(out, array, version=version)
    return out.getvalue()


F4 = numpy.dtype("float32")
GOOD = npy(numpy.arange(6, dtype=F4).reshape(2, 3))


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_byte_order_and_memory_order_is_read(version: tuple[int, int]) -> None:
    array = numpy.arange(6, dtype=F4).reshape(2, 3)
    for variant in (array, array.astype(">f4"), numpy.asfortranarray(array)):
        again = read_npy(npy(variant, version), F4)
        assert numpy.array_equal(again, array)
        assert again.dtype == F4
        assert again.dtype.isnative


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "do not start"),
        (b"PK\x03\x04" + GOOD, "do not start"),
        (GOOD[:40], "truncated"),
        (GOOD[:-1], "needs 24 bytes, and 23 follow"),
        (GOOD + b"\0", "needs 24 bytes, and 25 follow"),
        (GOOD.replace(b"(2, 3)", b"(2,-3)"), "not one of a plain array"),
        (GOOD.replace(b"(2, 3), }     ", b"(2, 9**99,), }"), "cannot be read"),
        (GOOD.replace(b"(2, 3), }       ", b"(2, 99999999), }"), "needs 799999992 bytes"),
        (GOOD.replace(b"<f4", b"|O8"), "expected an array of float32, got one of '|O8'"),
        (GOOD.replace(b"<f4", b"<f8"), "got one of '<f8'"),
        (GOOD.replace(b"False", b"+1   "), "not one of a plain array"),
        (b"\x93NUMPY\x01\x00\x00\x03" + b"(" * 768, "cannot be read"),
    ],
)
def test_a_hostile_npy_is_refused_before_anything_is_allocated(data: bytes, message: str) -> None:
    with pytest.raises(NotNpy, match=message.replace("|", r"\|")):
        read_npy(data, F4)


@given(st.binary(max_size=200))
def test_no_bytes_make_the_npy_reader_fail_otherwise(tail: bytes) -> None:
    for data in (tail, GOOD[:10] + tail, GOOD[: len(tail)] + tail):
        with contextlib.suppress(NotNpy):
            read_npy(data, F4)


def test_what_numpy_writes_is_what_it_reads() -> None:
    assert numpy.array_equal(numpy.load(BytesIO(write_npy(numpy.arange(3)))), numpy.arange(3))


@pytest.mark.parametrize("spec", [Tensor("float31", (1,)), Tensor("float32", (-1,)), Tensor("object", ())])
def test_a_tensor_that_makes_no_sense_is_a_mistake(spec: Tensor) -> None:
    with pytest.raises(HandlerError):
        codec_for(Annotated[numpy.ndarray, spec])


def test_a_tensor_on_another_type_is_a_mistake() -> None:
    with pytest.raises(HandlerError, match="stands on list"):
        codec_for(Annotated[list[float], Tensor("float32", (1,))])


Number = TypeVar("Number", bound=numpy.generic)
Items = TypeVar("Items")
Array = TypeAliasType("Array", numpy.ndarray[Any, numpy.dtype[Number]], type_params=(Number,))
"""As NumPy's own NDArray is, from Python 3.12 on (PEP 695)."""
Arrays = TypeAliasType("Arrays", Array[numpy.float32])
Many = TypeAliasType("Many", list[Items], type_params=(Items,))


@pytest.mark.parametrize("alias", [Array[numpy.float32], Arrays])
def test_a_tensor_may_stand_on_an_alias_of_an_array(alias: Any) -> None:
    assert codec_for(Annotated[alias, Tensor("float32", (2,))]).schema == codec_of("float32", 2).schema


def test_the_parameters_of_an_alias_are_filled_in() -> None:
    assert codec_for(Many[int]).schema == codec_for(list[int]).schema


def test_a_tensor_on_another_alias_is_refused() -> None:
    with pytest.raises(HandlerError, match="not an array"):
        codec_for(Annotated[Many[int], Tensor("float32", (2,))])
