from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preheat.client.checking import check_input
from preheat.client.contract import Contract
from preheat.errors import BadInput
from preheat.interface.codec import codec_for
from preheat.interface.media import File


@dataclass
class Circle:
    kind: Literal["circle"]
    radius: float


@dataclass
class Square:
    kind: Literal["square"]
    side: float


@dataclass
class Tree:
    name: str
    children: "list[Tree]"
    size: int | None = None


def mistakes(value: Any, annotation: Any) -> tuple[tuple[str, str], ...]:
    contract = Contract({"title": "M", "input": codec_for(annotation).schema})
    try:
        check_input(value, contract)
    except BadInput as refused:
        return refused.errors
    return ()


@pytest.mark.parametrize(
    ("value", "annotation", "where", "what"),
    [
        (3, str, "", "expected a string, got the integer 3"),
        (True, int, "", "expected an integer, got true"),
        (1.5, int, "", "expected an integer, got the number 1.5"),
        ("1", float, "", "expected a number, got the string '1'"),
        (["a", 1], list[str], "/1", "expected a string, got the integer 1"),
        ({"a": "b"}, dict[str, int], "/a", "expected an integer, got the string 'b'"),
        ("blue", Literal["red", "green"], "", "expected one of 'red', 'green', got the string 'blue'"),
        ({"kind": "circle"}, Circle | Square, "", "'radius' is missing"),
        ([], Circle | Square, "", "expected an object (Circle) or an object (Square), got an array of 0"),
        ({"name": "a", "children": [{"nam": "b", "children": []}]}, Tree, "/children/0/nam", "did you mean"),
        ({"name": "a", "children": [], "size": "big"}, Tree, "/size", "expected an integer or null"),
        (b"x", str, "", "expected a string, got bytes"),
        (File(b"x"), list[str], "", "expected an array, got File"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(value: Any, annotation: Any, where: str, what: str) -> None:
    found = mistakes(value, annotation)
    assert found
    assert found[0][0] == where
    assert what in found[0][1]


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (1.0, int),
        (1, float),
        (None, int | None),
        (b"x", bytes),
        (File(b"x"), File),
        ([File(b"x"), None], list[File | None]),
        ({"name": "a", "children": [{"name": "b", "children": []}]}, Tree),
        ({"kind": "square", "side": 1}, Circle | Square),
        ("2026-11-21T00:00:00Z", datetime),
        ({"whatever": [1]}, Any),
        ([1, "a"], tuple[int, str]),
    ],
)
def test_what_a_handler_takes_is_let_through(value: Any, annotation: Any) -> None:
    assert mistakes(value, annotation) == ()


KEYS = ["name", "children", "kind", "radius", "x"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=12,
)


@given(
    value=JSON,
    annotation=st.sampled_from([str, int, list[float], Tree, Circle | Square, dict[str, int | None], Any]),
)
def test_nothing_that_the_codec_takes_is_ever_refused(value: Any, annotation: Any) -> None:
    try:
        codec_for(annotation).decode(value)
    except BadInput:
        return
    assert mistakes(value, annotation) == ()


def test_the_insides_of_a_pydantic_model_are_left_to_it() -> None:
    from pydantic import BaseModel

    class Model(BaseModel):
        count: int

    assert mistakes({"count": "3", "also": 1}, Model) == ()


def test_a_long_list_is_not_reported_entry_by_entry() -> None:
    found = mistakes(["x"] * 1000, list[int])
    assert len(found) == 20
