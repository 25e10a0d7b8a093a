import pytest
from hypothesis import given
from hypothesis import strategies as st

from preheat.project.names import is_name, nearest, nearest_name


@pytest.mark.parametrize(
    ("written", "better"),
    [
        ("My Model", "my-model"),
        ("MyModel", "my-model"),
        ("ocr_v2", "ocr-v2"),
        ("2fast", "model-2fast"),
        ("Übung", "ubung"),
        ("--", "model"),
        ("a" * 60, "a" * 48),
        ("fine-name", "fine-name"),
    ],
)
def test_the_nearest_name_keeps_what_it_can(written: str, better: str) -> None:
    assert nearest_name(written) == better


@given(st.text())
def test_the_nearest_name_is_always_valid(text: str) -> None:
    assert is_name(nearest_name(text))


def test_a_trailing_newline_makes_no_name() -> None:
    assert not is_name("demo\n")


def test_dashes_underscores_and_case_do_not_hide_what_was_meant() -> None:
    assert nearest("AWS-Lambda", ["local", "aws_lambda"]) == "aws_lambda"


def test_nothing_near_is_none() -> None:
    assert nearest("zebra", ["local", "aws_lambda"]) is None
