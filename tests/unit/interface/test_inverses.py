"""Reading and writing undo each other, for every type that a handler may name."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.fakes.annotations import EXACT, STRICTER, Typed, mutated, typed

from preheat.errors import BadInput
from preheat.interface.codec import codec_for
from preheat.interface.jsontext import read_json, write_json

quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def kinds(value: Any) -> Any:
    """The types inside a value, for 1 == 1.0 == True would hide a change."""
    if isinstance(value, list | tuple):
        return type(value), [kinds(item) for item in value]
    if isinstance(value, dict):
        return {key: kinds(item) for key, item in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return type(value), {name: kinds(getattr(value, name)) for name in value.__dataclass_fields__}
    return type(value)


@quick
@given(typed(EXACT + STRICTER), st.data())
def test_what_is_written_is_read_back_the_same(case: Typed, data: st.DataObject) -> None:
    annotation, values = case
    codec = codec_for(annotation)
    value = data.draw(values)
    again = codec.decode(read_json(write_json(codec.encode(value)), depth=64))
    assert again == value
    assert kinds(again) == kinds(value)


@quick
@given(typed(EXACT + STRICTER), st.data())
def test_what_is_read_is_written_back_the_same(case: Typed, data: st.DataObject) -> None:
    annotation, values = case
    codec = codec_for(annotation)
    canonical = codec.encode(data.draw(values))
    assert write_json(codec.encode(codec.decode(canonical))) == write_json(canonical)


@quick
@given(typed(EXACT + STRICTER), st.data())
def test_what_is_written_fits_the_schema(case: Typed, data: st.DataObject) -> None:
    annotation, values = case
    codec = codec_for(annotation)
    Draft202012Validator.check_schema(codec.schema)
    Draft202012Validator(codec.schema).validate(codec.encode(data.draw(values)))


@quick
@given(typed(EXACT), st.data())
def test_an_input_is_read_exactly_when_it_fits_the_schema(case: Typed, data: st.DataObject) -> None:
    annotation, values = case
    codec = codec_for(annotation)
    value = data.draw(mutated(codec.encode(data.draw(values))))
    fits = Draft202012Validator(codec.schema).is_valid(value)
    try:
        codec.decode(value)
        read = True
    except BadInput:
        read = False
    assert read == fits, value
