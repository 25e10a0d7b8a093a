import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preheat.errors import BadInput
from preheat.runtime.inference.datatypes import BYTES, CODES, DTYPES, check_datatype, pack, size_of, unpack


def test_every_datatype_has_numpys_size() -> None:
    assert {name: size_of(datatype) for name, datatype in DTYPES.items()} == {
        name: numpy.dtype(name).itemsize for name in DTYPES
    }


@given(st.lists(st.binary()))
def test_bytes_survive(values: list[bytes]) -> None:
    assert unpack(BYTES, pack(BYTES, values), len(values)) == values


@given(st.sampled_from([*CODES, BYTES]), st.binary(max_size=40), st.integers(0, 10))
def test_any_bytes_are_exactly_so_many_elements_or_refused(datatype: str, raw: bytes, count: int) -> None:
    try:
        values = unpack(datatype, raw, count)
    except BadInput:
        return
    assert len(values) == count
    if not datatype.startswith("FP"):
        assert pack(datatype, values) == raw


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"ab", "the length of element 0 is cut off"),
        (b"\xff\0\0\0a", "element 0 has 255 bytes, and 1 follow"),
        (b"\2\0\0\0a", "element 0 has 2 bytes, and 1 follow"),
        (b"\1\0\0\0a", "expected 2 elements, got 1"),
        (b"\1\0\0\0a\1\0\0\0bc", "got 2 and 1 bytes behind them"),
    ],
)
def test_a_lying_length_prefix_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        unpack(BYTES, raw, 2)


@pytest.mark.parametrize("datatype", ["BF16", "fp32", "", None, 3, ["FP32"]])
def test_what_is_no_datatype_is_refused(datatype: object) -> None:
    with pytest.raises(BadInput, match="is none of BOOL, "):
        check_datatype(datatype)


@pytest.mark.parametrize(
    ("datatype", "value", "reason"),
    [
        ("INT8", 128, "128 is out of the range of INT8"),
        ("INT8", 2.5, "expected an integer, got 2.5"),
        ("INT8", True, "expected an integer, got True"),
        ("INT8", "2", "expected an integer, got '2'"),
        pytest.param("INT64", 10**5000, "out of the range of INT64", id="5000 digits"),
        ("FP16", 1e6, "out of the range of FP16"),
        ("FP32", 10**400, "out of the range of FP32"),
        ("FP32", None, "expected a number, got None"),
        ("BOOL", 1, "expected true or false"),
        (BYTES, 1, "expected a string"),
        (BYTES, ["a"], "expected a string, got an array"),
    ],
)
def test_a_value_of_another_type_or_range_is_refused(datatype: str, value: object, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        pack(datatype, [value])
