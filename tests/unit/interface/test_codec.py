import enum
import math
import sys
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType, NotRequired, TypedDict

import numpy
import pytest
from annotated_types import Ge, Gt, Interval, Len, LowerCase, MaxLen, MultipleOf
from jsonschema import Draft202012Validator

from preheat.errors import BadInput, HandlerError, HandlerFailed
from preheat.interface.codec import codec_for


@dataclass
class Point:
    x: float
    y: float = 0.0


@dataclass
class Query:
    """What to look for."""

    text: str
    points: list[Point] = field(default_factory=list)
    limit: Annotated[int, Ge(1), "how many"] = 10


@dataclass
class Tree:
    value: int
    children: "list[Tree]" = field(default_factory=list)


@dataclass
class Circle:
    kind: Literal["circle"]
    radius: float


@dataclass
class Square:
    kind: Literal["square"]
    side: float


@dataclass
class Grow:
    kind: Literal["grow"]
    of: "Shape"


Shape = Circle | Square | Grow


class Options(TypedDict):
    size: int
    color: "NotRequired[str]"
    name: NotRequired[str]


@dataclass
class Even:
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError(f"{self.number} is odd")


class Mode(enum.StrEnum):
    FAST = "fast"
    GOOD = "good"


Name = NewType("Name", str)


def mistakes(annotation: Any, value: Any) -> dict[str, str]:
    with pytest.raises(BadInput) as caught:
        codec_for(annotation).decode(value)
    return dict(caught.value.errors)


def refusal(annotation: Any, value: Any) -> tuple[str, str]:
    with pytest.raises(HandlerFailed) as caught:
        codec_for(annotation).encode(value)
    return caught.value.errors[0]


def unsupported(annotation: Any) -> HandlerError:
    with pytest.raises(HandlerError) as caught:
        codec_for(annotation)
    return caught.value


@pytest.mark.parametrize(
    ("annotation", "value", "detail"),
    [
        (int, True, "expected an integer, got true"),
        (int, "5", "expected an integer, got the string '5'"),
        (int, 1.5, "expected an integer, got the number 1.5"),
        (float, True, "expected a finite number, got true"),
        (float, math.inf, "expected a finite number, got a number that is not finite"),
        (float, 10**400, "expected a number within the range of a 64-bit float"),
        (str, None, "expected a string, got null"),
        (str, 10**50, "expected a string, got a huge integer"),
        (bool, 1, "expected true or false, got the integer 1"),
        (None, 0, "expected null, got the integer 0"),
        (bytes, "a", "expected bytes in base64 with padding and without line breaks"),
        (bytes, "YQ==\n", "expected bytes in base64 with padding and without line breaks"),
        (list[int], {}, "expected an array, got an object"),
        (dict[str, int], [1], "expected an object, got an array of 1"),
        (tuple[int, int], [1], "expected an array of 2, got one of 1"),
        (Mode, "fats", "expected one of 'fast', 'good', got the string 'fats'; did you mean 'fast'?"),
        (Literal[1], True, "expected one of 1, got true"),
        (int | None, "a", "expected int | None, got the string 'a'"),
        (datetime, "2025-01-31T12:00:00", None),
        (date, "2025-13-01", "expected a date such as 2025-01-31, got the string '2025-13-01'"),
        (uuid.UUID, "x", "expected a UUID, got the string 'x'"),
        (Decimal, "NaN", "expected a decimal in a string, such as \"1.50\", got the string 'NaN'"),
        (Decimal, "1e99999", "expected a decimal in a string, such as \"1.50\", got the string '1e99999'"),
        (Decimal, "1_0", "expected a decimal in a string, such as \"1.50\", got the string '1_0'"),
        (Decimal, "\u0661", "expected a decimal in a string, such as \"1.50\", got the string '\u0661'"),
        (uuid.UUID, "0" * 32, f"expected a UUID, got the string {'0' * 32!r}"),
        (date, "2025-W05-5", "expected a date such as 2025-01-31, got the string '2025-W05-5'"),
        (Decimal, 1.5, 'expected a decimal in a string, such as "1.50", got the number 1.5'),
        (Annotated[int, Ge(3)], 2, "expected at least 3"),
        (Annotated[int, Ge(3)], "a", "expected an integer, got the string 'a'"),
        (Annotated[float, Gt(0)], 0, "expected greater than 0"),
        (Annotated[int, Interval(ge=0, lt=5)], 5, "expected less than 5"),
        (Annotated[int, MultipleOf(3)], 4, "expected a multiple of 3"),
        (Annotated[str, Len(2, 3)], "a", "expected a length of at least 2"),
        (Annotated[list[int], MaxLen(1)], [1, 2], "expected a length of at most 1"),
        (Annotated[bytes, MaxLen(1)], "YWI=", "expected a length of at most 1"),
        (LowerCase[str], "A", "expected a value that str.islower accepts"),
    ],
)
def test_what_does_not_fit_is_named(annotation: Any, value: Any, detail: str | None) -> None:
    found = mistakes(annotation, value)
    assert list(found) == [""]
    assert detail is None or found[""] == detail


def test_an_integer_beyond_all_floats_is_a_multiple_or_none() -> None:
    huge = 10**400
    for kind, of, value in (
        (int, 0.5, huge),
        (int, 1.5, 3 * huge),
        (int, 0.5, -huge - 1),
        (float, huge, 0.0),
    ):
        assert codec_for(Annotated[kind, MultipleOf(of)]).decode(value) == value
    for kind, of, value in ((int, 1.5, huge), (float, huge, 1.5)):
        assert mistakes(Annotated[kind, MultipleOf(of)], value) == {"": f"expected a multiple of {of}"}


def test_every_mistake_of_an_input_is_listed_with_its_pointer() -> None:
    found = mistakes(Query, {"txt": "a", "points": [{"x": "1"}, {"x": 1, "y": None}], "limit": 0})
    assert found == {
        "/txt": "unknown key; did you mean 'text'?",
        "/points/0/x": "expected a finite number, got the string '1'",
        "/points/1/y": "expected a finite number, got null",
        "/limit": "expected at least 1",
        "": "'text' is missing",
    }


def test_the_message_names_the_first_mistake_and_counts_the_rest() -> None:
    with pytest.raises(BadInput) as caught:
        codec_for(Point).decode({"x": "1", "y": "2"})
    assert (
        caught.value.message
        == "The input does not fit at /x: expected a finite number, got the string '1' (and 1 more)."
    )


def test_reading_ends_at_twenty_mistakes() -> None:
    with pytest.raises(BadInput) as caught:
        codec_for(list[int]).decode(["a"] * 100_000)
    assert len(caught.value.errors) == 20
    assert "(and at least 19 more)" in caught.value.message


def test_pointers_escape_tildes_and_slashes() -> None:
    assert list(mistakes(dict[str, int], {"a/b~c": None})) == ["/a~1b~0c"]


def test_defaults_fill_in_for_missing_keys() -> None:
    assert codec_for(Query).decode({"text": "a"}) == Query("a", [], 10)


def test_the_schema_of_a_dataclass_says_all_that_is_known_of_it() -> None:
    assert codec_for(Query).schema == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "title": "Query",
        "description": "What to look for.",
        "properties": {
            "text": {"type": "string"},
            "points": {"type": "array", "items": {"$ref": "#/$defs/Point"}, "default": []},
            "limit": {"type": "integer", "minimum": 1, "description": "how many", "default": 10},
        },
        "required": ["text"],
        "additionalProperties": False,
        "$defs": {
            "Point": {
                "type": "object",
                "title": "Point",
                "properties": {"x": {"type": "number"}, "y": {"type": "number", "default": 0.0}},
                "required": ["x"],
                "additionalProperties": False,
            }
        },
    }


def test_a_type_may_hold_itself() -> None:
    codec = codec_for(Tree)
    Draft202012Validator.check_schema(codec.schema)
    document = {"value": 1, "children": [{"value": 2, "children": []}]}
    assert codec.decode(document) == Tree(1, [Tree(2)])
    assert codec.encode(Tree(1, [Tree(2)])) == document
    assert mistakes(Tree, {"value": 1, "children": [{"value": "2"}]}).keys() == {"/children/0/value"}


def test_a_result_that_contains_itself_is_refused() -> None:
    tree = Tree(1)
    tree.children.append(tree)
    with pytest.raises(HandlerFailed, match="contains itself"):
        codec_for(Tree).encode(tree)


def test_two_classes_of_one_name_keep_apart() -> None:
    def another() -> type:
        @dataclass
        class Point:
            z: int

        return Point

    schema = codec_for(tuple[Point, another()]).schema  # type: ignore[misc]
    assert schema["$defs"].keys() == {"Point", "Point2"}


def test_a_field_with_literals_tells_the_objects_of_a_union_apart() -> None:
    codec = codec_for(Shape)
    document = {"kind": "grow", "of": {"kind": "square", "side": 2.0}}
    assert codec.decode(document) == Grow("grow", Square("square", 2.0))
    assert codec.encode(Grow("grow", Square("square", 2.0))) == document
    assert Draft202012Validator(codec.schema).is_valid(document)
    assert not Draft202012Validator(codec.schema).is_valid({"kind": "oval"})
    assert mistakes(Shape, {"kind": "oval"}) == {
        "/kind": "expected one of 'circle', 'square', 'grow', got the string 'oval'"
    }
    assert mistakes(Shape, {}) == {"": "'kind' is missing; it is one of 'circle', 'square', 'grow'"}


def test_in_a_union_of_int_and_float_each_number_keeps_its_type() -> None:
    codec = codec_for(int | float)
    assert [type(codec.decode(value)) for value in (1, 1.0)] == [int, float]
    assert [type(codec.encode(value)) for value in (1, 1.0)] == [int, float]


def test_typed_dicts_know_required_keys() -> None:
    assert codec_for(Options).decode({"size": 1}) == {"size": 1}
    assert mistakes(Options, {"nam": "a"}) == {
        "/nam": "unknown key; did you mean 'name'?",
        "": "'size' is missing",
    }
    assert refusal(Options, {"size": 1, "nme": "a"}) == ("/nme", "unknown key; did you mean 'name'?")
    assert refusal(Options, {}) == ("", "'size' is missing")


def test_a_value_error_of_post_init_is_the_callers_mistake() -> None:
    assert mistakes(list[Even], [{"number": 2}, {"number": 3}]) == {"/1": "3 is odd"}


def test_post_init_never_sees_fields_that_did_not_fit() -> None:
    assert mistakes(Even, {"number": "a"}) == {"/number": "expected an integer, got the string 'a'"}


@pytest.mark.parametrize(
    ("annotation", "value", "place", "detail"),
    [
        (dict[str, list[float]], {"a": [1.0, math.nan]}, "/a/1", "expected a finite float, got nan"),
        (list[float], [1.0, numpy.float32("inf")], "/1", "expected a finite float, got inf"),
        (float, "1", "", "expected a finite float, got str"),
        (float, 10**400, "", "expected float, got an int beyond its range"),
        (int, True, "", "expected int, got bool"),
        (int, 1.0, "", "expected int, got float"),
        (str, b"a", "", "expected str, got bytes"),
        (str, "\ud800", "", "expected text, got a string with a lone surrogate"),
        (list[float], (1.0,), "", "expected list, got tuple"),
        (tuple[int, int], (1,), "", "expected a tuple of 2, got one of 1"),
        (dict[str, int], {1: 1}, "", "expected a dict with str keys, got int"),
        (Point, {"x": 1.0}, "", "expected Point, got dict"),
        (datetime, datetime(2025, 1, 1), "", "expected a datetime with a timezone, got a naive one"),
        (Any, {"a": (1,)}, "/a", "expected a JSON value, got tuple"),
        (Any, [math.nan], "/0", "expected a JSON value, got nan"),
        (Annotated[int, Ge(0)], -1, "", "expected at least 0"),
        (int | None, "a", "", "expected int | None, got str"),
    ],
)
def test_a_result_that_its_annotation_excludes_is_refused_with_its_place(
    annotation: Any, value: Any, place: str, detail: str
) -> None:
    assert refusal(annotation, value) == (place, detail)


def test_numpy_scalars_are_written_as_the_numbers_they_are() -> None:
    values: list[Any] = [numpy.float32(0.5), numpy.float64(0.25), 1]
    written = codec_for(list[float]).encode(values)
    assert written == [0.5, 0.25, 1.0]
    assert {type(value) for value in written} == {float}
    assert codec_for(int).encode(numpy.int64(3)) == 3
    assert codec_for(bool).encode(numpy.bool_(True)) is True


def test_a_string_enum_member_is_written_as_plain_text() -> None:
    assert type(codec_for(str).encode(Mode.FAST)) is str


def test_any_json_passes_unchanged() -> None:
    value: dict[str, Any] = {"a": [1, 2.5, None, True, "ä", {}]}
    assert codec_for(Any).decode(value) == value
    assert codec_for(Any).encode(value) == value


def test_new_types_and_dates_read_as_what_they_stand_for() -> None:
    assert codec_for(Name).decode("a") == "a"
    assert codec_for(datetime).decode("2025-01-31T12:00:00Z") == datetime(2025, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("annotation", "message", "hint"),
    [
        (list, "the type: list has no JSON form", "list[str]"),
        (set[int], "the type: set[int] has no JSON form", "list[str]"),
        (dict[int, str], "the keys of a JSON object are strings, not int", "dict[str, float]"),
        (numpy.ndarray, "the type: numpy.ndarray has no JSON form", 'preheat.Tensor("float32"'),
        (int | bool | str | bytes, "str and bytes are both a string in JSON", "Keep one"),
        (list[int] | tuple[str, ...], "list[int] and tuple[str, ...] are both an array in JSON", "Keep one"),
        (Point | Query, "Point and Query are both objects in JSON", 'kind: Literal["..."]'),
        (Point | dict[str, int], "both objects", "Literal"),
        (Literal[b"a"], "b'a' is no JSON null", "Literal"),
        (Annotated[str, Ge(1)], "ge=1 does not apply to str", "Annotated"),
        (Annotated[int | None, Ge(1)], "ge=1 does not apply to int | None", "Annotated[int, Ge(0)] | None"),
        (complex, "complex has no JSON form", "tuple[float, float]"),
    ],
)
def test_a_type_without_a_json_form_is_a_mistake_with_what_to_write(
    annotation: Any, message: str, hint: str
) -> None:
    error = unsupported(annotation)
    assert message in error.message
    assert hint in (error.hint or "")


def test_every_field_that_is_wrong_is_named() -> None:
    @dataclass
    class Wrong:
        a: set[int]
        b: list[object]
        c: int = None  # type: ignore[assignment]
        d: int = field(default=0, init=False)

    lines = unsupported(Wrong).message.split("\n")
    assert [line.partition(":")[0].rpartition(".")[2] for line in lines] == ["a", "b", "c", "d"]


def test_a_default_factory_that_may_differ_stays_out_of_the_schema() -> None:
    @dataclass
    class Stamped:
        id: uuid.UUID = field(default_factory=uuid.uuid4)

    assert "default" not in codec_for(Stamped).schema["properties"]["id"]
    assert codec_for(Stamped).decode({}).id != codec_for(Stamped).decode({}).id


def test_a_long_list_of_numbers_is_passed_on_without_a_copy() -> None:
    values = [0.5] * 1000
    assert codec_for(list[float]).encode(values) is values


def test_deep_python_values_are_bad_input_and_no_recursion_error() -> None:
    value: Any = {"value": 1}
    for _ in range(sys.getrecursionlimit()):
        value = {"value": 1, "children": [value]}
    with pytest.raises(BadInput, match="nested too deeply"):
        codec_for(Tree).decode(value)
