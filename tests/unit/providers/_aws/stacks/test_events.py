"""What happens to a stack is told once, and its end is not taken from an answer that is behind."""

import pytest
from tests.fakes.cloudformation import (
    NAME,
    FakeCloudFormation,
    Moment,
    Told,
    deployed,
    rolled_back,
)

from preheat.errors import ProviderError
from preheat.progress import Event, Step
from preheat_providers._aws.stacks import StackFailed


def test_each_event_since_the_change_set_is_told_once_in_its_order() -> None:
    made = [
        Told("Role", "CREATE_COMPLETE"),
        Told("Function", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
    ]
    cloud = FakeCloudFormation("UPDATE_COMPLETE")
    for number in range(7):
        cloud.tell(Told(f"Old{number}", "UPDATE_COMPLETE"))
    cloud.executed = [
        Moment("UPDATE_IN_PROGRESS"),
        Moment(None, tuple(made)),
        Moment(None),
        Moment(None, (Told("Function", "CREATE_COMPLETE"),)),
        Moment("UPDATE_COMPLETE"),
    ]
    told: list[Event] = []
    deployed(cloud, told=told)
    assert told == [
        Step("apply", f"{NAME} UPDATE_IN_PROGRESS"),
        Step("apply", "Role CREATE_COMPLETE"),
        Step("apply", "Function CREATE_IN_PROGRESS: Resource creation Initiated"),
        Step("apply", "Function CREATE_COMPLETE"),
        Step("apply", f"{NAME} UPDATE_COMPLETE"),
    ]


def test_the_state_of_before_is_not_taken_for_the_end() -> None:
    cloud = FakeCloudFormation("UPDATE_COMPLETE", executed=rolled_back("UPDATE"), stale=3)
    with pytest.raises(StackFailed) as caught:
        deployed(cloud)
    assert caught.value.status == "UPDATE_ROLLBACK_COMPLETE"


def test_what_takes_too_long_is_an_error_that_says_what_goes_on() -> None:
    cloud = FakeCloudFormation("UPDATE_COMPLETE", executed=[Moment("UPDATE_IN_PROGRESS")])
    with pytest.raises(ProviderError, match=f"The stack {NAME} has not ended after 60 minutes") as caught:
        deployed(cloud)
    assert 3600 <= cloud.now < 3610
    assert str(caught.value.hint).startswith("The same command waits on")


def test_a_state_on_the_way_back_is_not_taken_for_the_end() -> None:
    cloud = FakeCloudFormation("UPDATE_COMPLETE")
    way = ("UPDATE_IN_PROGRESS", "UPDATE_FAILED", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE")
    cloud.executed = [Moment(status) for status in way]
    with pytest.raises(StackFailed) as caught:
        deployed(cloud)
    assert caught.value.status == "UPDATE_ROLLBACK_COMPLETE"
