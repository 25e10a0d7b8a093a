"""Stacks whose bucket gets something while they are removed."""

from typing import cast

import pytest

from preheat.progress import Event, Report, Step
from preheat_providers._aws.removing import delete_with_bucket
from preheat_providers._aws.stacks import StackFailed, Stacks
from preheat_providers._aws.stacks.model import StackEvent


class Reluctant:
    """Refuses so many deletions, each because of a resource of type `kind`."""

    def __init__(self, kind: str, times: int) -> None:
        self._kind = kind
        self.times = times

    def delete(self, name: str, *, report: Report) -> tuple[str, ...]:
        if not self.times:
            return (f"stack {name}",)
        self.times -= 1
        raise failed(self._kind)


def failed(kind: str) -> StackFailed:
    event = StackEvent(
        id="1",
        resource="Jobs",
        type=kind,
        status="DELETE_FAILED",
        reason="The bucket you tried to delete is not empty",
        code="BucketNotEmpty",
        operation="DeleteBucket",
        of_stack=False,
    )
    return StackFailed("cannot be deleted", hint=None, status="DELETE_FAILED", failures=[event])


def removed(stacks: Reluctant, told: list[Event]) -> tuple[str, ...]:
    return delete_with_bucket(cast("Stacks", stacks), "demo", lambda: ["1 object"], told.append)


def test_what_was_written_meanwhile_goes_too() -> None:
    told: list[Event] = []
    assert removed(Reluctant("AWS::S3::Bucket", 1), told) == ("1 object", "stack demo")
    assert [type(event) for event in told] == [Step]


def test_a_stack_that_goes_at_once_is_not_emptied_again() -> None:
    told: list[Event] = []
    assert removed(Reluctant("AWS::S3::Bucket", 0), told) == ("stack demo",)
    assert told == []


@pytest.mark.parametrize(("kind", "times"), [("AWS::Lambda::Function", 1), ("AWS::S3::Bucket", 2)])
def test_what_emptying_does_not_mend_is_the_error(kind: str, times: int) -> None:
    with pytest.raises(StackFailed):
        removed(Reluctant(kind, times), [])
