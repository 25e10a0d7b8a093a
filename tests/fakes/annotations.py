"""Random annotations with values that fit them: what a handler's author might write."""

import dataclasses
import enum
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypedDict

from annotated_types import Ge, Le, Len
from hypothesis import strategies as st

from preheat.interface.media import File

Typed = tuple[Any, st.SearchStrategy[Any]]

names = st.from_regex(r"[a-z]{1,6}_", fullmatch=True)


class Color(enum.Enum):
    RED = "red"
    BLUE = 7


# Types whose JSON Schema says all that reading them demands.
EXACT: list[Typed] = [
    (None, st.none()),
    (bool, st.booleans()),
    (int, st.integers()),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (str, st.text()),
    (Literal["a", 1, True, None], st.sampled_from(["a", 1, True, None])),
    (Color, st.sampled_from(Color)),
    (int | float, st.integers() | st.floats(allow_nan=False, allow_infinity=False)),
    (Annotated[int, Ge(-3), Le(3)], st.integers(-3, 3)),
    (Annotated[str, Len(1, 4)], st.text(min_size=1, max_size=4)),
]

# Types that demand more than a schema can say, such as base64 that decodes.
STRICTER: list[Typed] = [
    (bytes, st.binary()),
    (datetime, st.datetimes(timezones=st.just(UTC))),
    (date, st.dates()),
    (uuid.UUID, st.uuids()),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (File, st.builds(File, st.binary(), st.just("image/png"), st.none() | st.text())),
]


def _dataclass(members: dict[str, Typed]) -> Typed:
    kind = dataclasses.make_dataclass(
        "Record", [(name, annotation) for name, (annotation, _) in members.items()]
    )
    return kind, st.builds(kind, **{name: values for name, (_, values) in members.items()})


def _typed_dict(members: dict[str, Typed]) -> Typed:
    make: Any = TypedDict
    kind = make("Dictionary", {name: annotation for name, (annotation, _) in members.items()}, total=False)
    return kind, st.fixed_dictionaries({}, optional={name: values for name, (_, values) in members.items()})


def _of(generic: Any, *arguments: Any) -> Any:
    return generic[arguments]


def _optional(inner: Typed) -> Typed:
    annotation, values = inner
    return annotation | None, values | st.none()


def _may_be_optional(inner: Typed) -> bool:
    annotation = inner[0]
    return annotation is not None and "None" not in str(annotation) and isinstance(annotation, type)


def _nested(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    objects = st.dictionaries(names, inner, min_size=1, max_size=3)
    return st.one_of(
        inner.map(lambda item: (_of(list, item[0]), st.lists(item[1], max_size=4))),
        inner.map(lambda item: (_of(tuple, item[0], ...), st.lists(item[1], max_size=4).map(tuple))),
        st.lists(inner, max_size=3).map(
            lambda items: (_of(tuple, *(item[0] for item in items)), st.tuples(*(item[1] for item in items)))
        ),
        inner.map(lambda item: (_of(dict, str, item[0]), st.dictionaries(st.text(), item[1], max_size=4))),
        inner.filter(_may_be_optional).map(_optional),
        objects.map(_dataclass),
        objects.map(_typed_dict),
    )


def typed(leaves: list[Typed]) -> st.SearchStrategy[Typed]:
    """Draw an annotation made of `leaves`, with a strategy for its values."""
    return st.recursive(st.sampled_from(leaves), _nested, max_leaves=5)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(names | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)


def mutated(value: Any) -> st.SearchStrategy[Any]:
    """Draw JSON like `value` with one place in it changed."""
    others: list[st.SearchStrategy[Any]] = [json_values]
    if isinstance(value, list) and value:
        others.append(st.integers(0, len(value) - 1).flatmap(_replaced(value)))
        others.append(st.just(value[:-1]))
    if isinstance(value, dict) and value:
        others.append(st.sampled_from(sorted(value)).flatmap(_replaced(value)))
        others.append(
            st.sampled_from(sorted(value)).map(lambda gone: {k: v for k, v in value.items() if k != gone})
        )
        others.append(json_values.map(lambda extra: {**value, "unheard of": extra}))
    return st.one_of(others)


def _replaced(value: Any) -> Callable[[Any], st.SearchStrategy[Any]]:
    def at(key: Any) -> st.SearchStrategy[Any]:
        def with_entry(entry: Any) -> Any:
            changed = value.copy()
            changed[key] = entry
            return changed

        return mutated(value[key]).map(with_entry)

    return at
