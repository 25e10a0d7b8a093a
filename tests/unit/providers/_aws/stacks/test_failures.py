"""A failure names the resource, the reason and the fix, and says how the stack was left."""

import pytest
from tests.fakes.aws_errors import handler
from tests.fakes.cloudformation import (
    MEMORY,
    NAME,
    STACK,
    FakeCloudFormation,
    Moment,
    Told,
    course,
    deployed,
    rolled_back,
)

from preheat.progress import Event
from preheat_providers._aws.stacks import StackFailed


def test_a_failed_update_names_the_resource_the_reason_and_the_fix() -> None:
    failure = Told("Function", "UPDATE_FAILED", MEMORY)
    cancelled = Told("Role", "CREATE_FAILED", "Resource creation cancelled", type="AWS::IAM::Role")
    cloud = FakeCloudFormation("UPDATE_COMPLETE", executed=rolled_back("UPDATE", failure, cancelled))
    with pytest.raises(StackFailed) as caught:
        deployed(cloud)
    assert caught.value.message == (
        f"The stack {NAME} could not be updated: Function (AWS::Lambda::Function): 'MemorySize' value failed"
        " to satisfy constraint: Member must have value less than or equal to 3008. This account may give a"
        " function 3008 MB; new accounts start with less than the 10,240 MB. It was put back to what it was"
        " before."
    )
    assert str(caught.value.hint).startswith("memory_mb = 3008")
    assert [failed.resource for failed in caught.value.failures] == ["Function"]


def test_a_code_in_the_reason_is_enough_for_the_fix() -> None:
    failure = Told("Function", "UPDATE_FAILED", handler("No", code="NotStabilized"))
    cloud = FakeCloudFormation("UPDATE_COMPLETE", executed=rolled_back("UPDATE", failure))
    with pytest.raises(
        StackFailed, match=r"Function \(AWS::Lambda::Function\): No\. The resource was made, but"
    ):
        deployed(cloud)


def test_a_failure_that_nobody_knows_says_where_to_look() -> None:
    failure = Told("Function", "UPDATE_FAILED", "I am a teapot")
    cloud = FakeCloudFormation("UPDATE_COMPLETE", executed=rolled_back("UPDATE", failure))
    with pytest.raises(StackFailed, match="I am a teapot") as caught:
        deployed(cloud)
    assert caught.value.hint == f"aws cloudformation describe-stack-events --stack-name {NAME}"


def test_no_secret_of_a_reason_is_told() -> None:
    failure = Told("Function", "UPDATE_FAILED", 'the 4KB limit. String measured: {"KEY":"hunter2"}')
    cloud = FakeCloudFormation("UPDATE_COMPLETE", executed=rolled_back("UPDATE", failure))
    told: list[Event] = []
    with pytest.raises(StackFailed) as caught:
        deployed(cloud, told=told)
    assert "hunter2" not in f"{told} {caught.value.message} {caught.value.failures}"


def test_a_stack_that_could_not_go_back_says_the_line_that_lets_it() -> None:
    cloud = FakeCloudFormation("UPDATE_ROLLBACK_FAILED", reason="The following resource(s) failed: [Table].")
    with pytest.raises(StackFailed, match=r"UPDATE_ROLLBACK_FAILED.*\[Table\]") as caught:
        deployed(cloud)
    assert f"aws cloudformation continue-update-rollback --stack-name {NAME}" in str(caught.value.hint)
    assert cloud.calls == []


def test_an_update_that_cannot_go_back_says_the_fix_and_then_the_line() -> None:
    failure = Told("Function", "UPDATE_FAILED", MEMORY)
    cloud = FakeCloudFormation("UPDATE_COMPLETE")
    cloud.executed = course("UPDATE", failure, end="UPDATE_ROLLBACK_FAILED")
    with pytest.raises(StackFailed, match="could not be put back") as caught:
        deployed(cloud)
    first, last = str(caught.value.hint).split("\n")
    assert first.startswith("memory_mb = 3008")
    assert last == f"aws cloudformation continue-update-rollback --stack-name {NAME}"


def test_a_stack_that_somebody_deletes_meanwhile_is_said() -> None:
    cloud = FakeCloudFormation("UPDATE_COMPLETE")
    cloud.executed = [
        Moment("UPDATE_IN_PROGRESS"),
        Moment("DELETE_COMPLETE", (Told("Role", "DELETE_COMPLETE"),)),
    ]
    with pytest.raises(StackFailed, match="Somebody deleted it meanwhile"):
        deployed(cloud)


def test_the_stack_itself_is_no_resource_that_failed() -> None:
    itself = Told(
        NAME, "UPDATE_FAILED", "The following resource(s) failed to update: [Function].", type=STACK
    )
    failure = Told("Function", "UPDATE_FAILED", "I am a teapot")
    cloud = FakeCloudFormation("UPDATE_COMPLETE", executed=rolled_back("UPDATE", failure, itself))
    with pytest.raises(StackFailed) as caught:
        deployed(cloud)
    assert [failed.resource for failed in caught.value.failures] == ["Function"]
