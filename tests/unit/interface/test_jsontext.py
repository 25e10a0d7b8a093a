import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.annotations import json_values

from preheat.errors import BadInput, HandlerFailed
from preheat.interface.jsontext import BYTES_EACH, LONG_BYTES, MANY, deeper_than, read_json, write_json


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The body is empty"),
        (b" \n", "The body is empty"),
        (b"NaN", "NaN is no JSON number"),
        (b"[1, -Infinity]", "-Infinity is no JSON number"),
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice"),
        (b'{"a": 1} x', "Extra data at line 1, column 10"),
        (b'{"a": ', "not JSON"),
        (b"'a'", "not JSON"),
        (b'"\xff"', "not UTF-8: byte 1 is 0xff"),
        ('"a"'.encode("utf-16"), "not UTF-8"),
        (b"\xef\xbb\xbf1", "not JSON"),
        (rb'"\ud800"', "lone surrogate"),
        (rb'{"\udc00": 1}', "lone surrogate"),
        (b"1" * 5000, "cannot be read|can be read"),
        (b"[" * 1_000_000, "deeper than 64"),
        (b"[" * 65 + b"]" * 65, "deeper than 64"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "deeper than 64"),
        (b'[{"a": [1, 2]}, {"b": 1', "not JSON"),
    ],
)
def test_what_is_not_strictly_json_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_json(body, depth=64)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'"\ud83d\ude00"', "\N{GRINNING FACE}"),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b"[" * 64 + b"]" * 64, None),
        (b'["' + b"[" * 1000 + b'"]', ["[" * 1000]),
        (b'["\\"' + b"[{" * 100 + b'\\\\"]', ['"' + "[{" * 100 + "\\"]),
        (b"[" + b"[1]," * 10_000 + b"[2]]", None),
    ],
)
def test_strict_is_not_narrow(body: bytes, value: Any) -> None:
    found = read_json(body, depth=64)
    assert value is None or found == value


@given(json_values)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert read_json(write_json(value), depth=64) == value


def _depth(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(_depth, inside), default=0)


@given(json_values, st.integers(0, 4))
def test_the_depth_is_that_of_the_value(value: Any, depth: int) -> None:
    assert deeper_than(json.dumps(value).encode(), depth) == (_depth(value) > depth)


@pytest.mark.timeout(60)  # a quadratic look at these would take hours
@pytest.mark.parametrize("unit", [b'\\"', b'"', b'"[', b"[]", b"[{", b"\\", b'"\\"['])
def test_looking_at_the_depth_of_a_large_hostile_body_ends(unit: bytes) -> None:
    assert isinstance(deeper_than(b"[" * 65 + b'"' + unit * (4_000_000 // len(unit)), 64), bool)


@pytest.mark.parametrize("unit", [b"[]", b"{}", b"[{}]"])
def test_more_arrays_and_objects_than_threads_can_wait_for_are_refused(unit: bytes) -> None:
    each = unit.count(b"[") + unit.count(b"{")
    assert len(read_json(b"[" + (unit + b",") * (MANY // each - 1) + b"1]", depth=64)) == MANY // each
    with pytest.raises(BadInput, match=f"more than {MANY} arrays and objects"):
        read_json(b"[" + (unit + b",") * (MANY // each) + b"1]", depth=64)


def test_rows_of_a_few_numbers_fill_a_body_of_the_usual_size() -> None:
    count = 6 * 1024 * 1024 // len(b"[1,2,3],") - 1
    assert len(read_json(b"[" + b"[1,2,3]," * count + b"[]]", depth=64)) == count + 1


def test_brackets_in_strings_are_no_arrays() -> None:
    text = "[{" * MANY
    assert read_json(json.dumps(text).encode(), depth=64) == text


def test_a_larger_body_may_hold_more_of_them() -> None:
    row = b"[1]," + b" " * (BYTES_EACH - 3)
    count = MANY + MANY // 10
    assert len(read_json(b"[" + row * count + b"1]", depth=64)) == count + 1


def test_nan_is_never_written() -> None:
    with pytest.raises(HandlerFailed):
        write_json([float("nan")])


@given(json_values)
def test_a_long_body_is_read_as_a_short_one_is(value: Any) -> None:
    short = json.dumps(value).encode()
    long = read_json(short + b" " * LONG_BYTES, depth=64)
    assert repr(long) == repr(read_json(short, depth=64))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice"),
        (b'[{"b": {"a": 1, "a": 2}}]', "the key 'a' stands twice"),
        (b'[1, {"a": 1, "a": 2}]', "the key 'a' stands twice"),
        (b'{"a:": 1, "a:": 2}', "the key 'a:' stands twice"),
        (b"[NaN]", "NaN is no JSON number"),
        (b'["\\ud800"]', "lone surrogate"),
    ],
)
def test_a_long_body_is_read_as_strictly(body: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_json(body + b" " * LONG_BYTES, depth=64)


@pytest.mark.parametrize(
    "text", ["12345678901234567890123", "18446744073709551616", "-9223372036854775809", "1e400"]
)
def test_a_number_in_a_long_body_keeps_its_value(text: str) -> None:
    short = f"[{text}]".encode()
    assert read_json(short + b" " * LONG_BYTES, depth=64) == json.loads(short)


@pytest.mark.parametrize("value", [[float("nan")], {"a": [None, float("-inf")]}])
def test_nan_is_not_written_as_null(value: Any) -> None:
    with pytest.raises(HandlerFailed, match="no NaN"):
        write_json(value)


def test_integers_of_any_size_are_written() -> None:
    assert write_json([10**30, None]) == b"[1000000000000000000000000000000,null]"
