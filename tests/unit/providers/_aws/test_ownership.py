from dataclasses import replace

import pytest

from preheat.errors import Conflict
from preheat_providers._aws.ownership import owned
from preheat_providers._aws.stacks import Stack

OURS = Stack(
    name="preheat-ocr-dev",
    id="i",
    status="CREATE_COMPLETE",
    reason=None,
    template={},
    parameters={},
    outputs={},
    tags={"preheat:name": "ocr", "preheat:stage": "dev"},
)


def test_a_stack_of_the_function_is_its_own() -> None:
    assert owned(OURS, "ocr", "dev", region="r") is OURS
    assert owned(None, "ocr", "dev", region="r") is None


@pytest.mark.parametrize(
    ("tags", "whose"),
    [
        ({"preheat:name": "ocr-dev", "preheat:stage": "x"}, "ocr-dev at stage x"),
        ({}, "nothing that preheat deployed"),
    ],
)
def test_a_stack_of_somebody_else_is_refused_with_its_owner(tags: dict[str, str], whose: str) -> None:
    with pytest.raises(Conflict, match=whose):
        owned(replace(OURS, tags=tags), "ocr", "dev", region="r")


def test_a_stack_of_which_nothing_exists_yet_is_nobodys() -> None:
    reviewed = replace(OURS, tags={}, status="REVIEW_IN_PROGRESS")
    assert owned(reviewed, "ocr", "dev", region="r") is reviewed
