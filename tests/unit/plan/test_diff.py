from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preheat.plan.diff import diff, field_changes, patch
from preheat.plan.model import FieldChange, Resource

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text(max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
PROPERTIES = st.dictionaries(
    st.text(max_size=3) | st.sampled_from(["a", "a.b", 'q"', "b"]), VALUES, max_size=4
)
RESOURCES = st.lists(
    st.builds(
        lambda kind, name, properties: Resource(kind=kind, name=name, properties=properties),
        st.sampled_from(["function", "bucket"]),
        st.sampled_from(["one", "two", "three"]),
        PROPERTIES,
    ),
    max_size=4,
    unique_by=lambda resource: (resource.kind, resource.name),
)


def without_none(value: Any) -> Any:
    """Drop what stands for absence from mappings; a mapping left empty by it is absent too."""
    if not isinstance(value, dict):
        return value
    kept = {key: (item, without_none(item)) for key, item in value.items() if item is not None}
    return {key: after for key, (before, after) in kept.items() if after != {} or before == {}}


def by_key(resources: Any) -> dict[tuple[str, str], Any]:
    return {(resource.kind, resource.name): without_none(resource.properties) for resource in resources}


@given(RESOURCES)
def test_equal_resources_have_no_difference(resources: list[Resource]) -> None:
    assert diff(resources, resources) == ()


@given(RESOURCES, RESOURCES)
def test_the_difference_applied_to_what_exists_gives_what_is_desired(
    desired: list[Resource], observed: list[Resource]
) -> None:
    assert by_key(patch(observed, diff(desired, observed))) == by_key(desired)


@given(RESOURCES, RESOURCES)
def test_nothing_is_left_to_change_after_a_patch(desired: list[Resource], observed: list[Resource]) -> None:
    assert diff(desired, patch(observed, diff(desired, observed))) == ()


def resource(name: str, **properties: Any) -> Resource:
    return Resource(kind="function", name=name, properties=properties)


def test_a_nested_change_is_named_by_its_dotted_path() -> None:
    (change,) = diff(
        [resource("ocr", scaling={"max": 8, "min": 0})], [resource("ocr", scaling={"max": 4, "min": 0})]
    )
    assert change.action == "update"
    assert change.fields == (FieldChange(path="scaling.max", before=4, after=8),)


def test_a_key_with_a_dot_is_quoted_so_that_it_cannot_be_taken_for_two() -> None:
    assert [change.path for change in field_changes({}, {"env": {"A.B": "1"}})] == ['env."A.B"']


def test_a_creation_lists_every_property() -> None:
    (change,) = diff([resource("ocr", memory_mb=512, auth="token")], [])
    assert change.action == "create"
    assert [(field.path, field.before, field.after) for field in change.fields] == [
        ("auth", None, "token"),
        ("memory_mb", None, 512),
    ]


def test_deletions_come_last_and_undo_creation_order() -> None:
    changes = diff([resource("new")], [resource("first"), resource("second")])
    assert [(change.action, change.name) for change in changes] == [
        ("create", "new"),
        ("delete", "second"),
        ("delete", "first"),
    ]


def test_true_is_not_one_but_one_point_zero_is() -> None:
    assert field_changes({"tls": 1}, {"tls": True}) == (FieldChange(path="tls", before=1, after=True),)
    assert field_changes({"keys": [1]}, {"keys": [True]}) != ()
    assert field_changes({"cpu": 1}, {"cpu": 1.0}) == ()


def test_a_tuple_and_a_list_of_the_same_items_are_the_same() -> None:
    assert field_changes({"triggers": [{"a": (1,)}]}, {"triggers": ({"a": [1]},)}) == ()


def test_a_missing_property_and_none_are_the_same() -> None:
    assert field_changes({"gpu": None}, {}) == ()


def test_two_resources_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="function 'ocr'"):
        diff([resource("ocr"), resource("ocr")], [])
