import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preheat.project.mistake import KeyPath, key_text, line_to_paste, shown, toml_text

VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.text(), VALUES)
def test_a_line_to_paste_is_toml_that_says_the_value(key: str, value: object) -> None:
    assert tomllib.loads(f"{key_text((key,))} = {toml_text(value)}") == {key: value}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("a", "b"), "a.b"),
        (("requirements", 0), "requirements[0]"),
        (("env", "a b"), 'env."a b"'),
        (("many", 1, "x"), "many[1].x"),
    ],
)
def test_a_key_is_written_as_toml_writes_it(path: KeyPath, text: str) -> None:
    assert key_text(path) == text


def test_a_table_is_pasted_as_its_header() -> None:
    assert line_to_paste(("triggers", "http"), {"auth": "none"}) == "[triggers.http]"


def test_a_long_value_is_cut_where_a_message_repeats_it() -> None:
    assert len(shown("x" * 1000)) == 60
