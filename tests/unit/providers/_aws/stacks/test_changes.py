"""Change sets: made, awaited, explained when refused, and removed when they are not to run."""

import pytest
from tests.fakes.cloudformation import (
    NAME,
    FakeCloudFormation,
    Refused,
    deployed,
)

from preheat.errors import ProviderError
from preheat.progress import quiet
from preheat_providers._aws.stacks import StackFailed, Stacks


@pytest.mark.parametrize("status", [None, "UPDATE_COMPLETE"])
def test_a_value_that_nobody_has_is_asked_for_before_anything_is_changed(status: str | None) -> None:
    cloud = FakeCloudFormation(status)
    with pytest.raises(ProviderError, match="has no value of Secret to keep"):
        deployed(cloud, parameters={"Secret": None})
    assert cloud.calls == []


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information to create a change"
        " set.",
        "No updates are to be performed.",
    ],
)
def test_a_change_set_without_changes_is_removed_and_the_stack_is_as_it_was(reason: str) -> None:
    cloud = FakeCloudFormation("UPDATE_COMPLETE", template={"Resources": {}}, change=[("FAILED", reason)])
    stack = deployed(cloud)
    assert (stack.status, stack.template) == ("UPDATE_COMPLETE", {"Resources": {}})
    assert cloud.changes == ["CreateChangeSet", "DeleteChangeSet"]


def test_a_service_that_refuses_a_change_set_without_changes_means_the_same() -> None:
    refusal = Refused("ValidationError", "No updates are to be performed.")
    cloud = FakeCloudFormation("UPDATE_COMPLETE", refused={"CreateChangeSet": refusal})
    assert deployed(cloud).status == "UPDATE_COMPLETE"
    assert cloud.changes == ["CreateChangeSet"]


def test_a_change_set_is_awaited() -> None:
    making = [("CREATE_PENDING", None), ("CREATE_IN_PROGRESS", None), ("CREATE_COMPLETE", None)]
    cloud = FakeCloudFormation(change=[*making])
    assert deployed(cloud).status == "CREATE_COMPLETE"
    assert cloud.now > 4


def test_a_refused_change_set_is_removed_and_so_is_the_empty_stack() -> None:
    reason = "Template format error: Unrecognized resource types: [AWS::Scheduler::Schedule]"
    cloud = FakeCloudFormation(change=[("FAILED", reason)])
    with pytest.raises(StackFailed, match=r"Unrecognized resource types: \[AWS::Scheduler::Schedule\]"):
        deployed(cloud)
    assert cloud.changes == ["CreateChangeSet", "DeleteChangeSet", "DeleteStack"]


def test_an_update_that_is_refused_leaves_the_stack_alone() -> None:
    cloud = FakeCloudFormation("UPDATE_COMPLETE", change=[("FAILED", "Template error: no")])
    with pytest.raises(StackFailed):
        deployed(cloud)
    assert cloud.changes == ["CreateChangeSet", "DeleteChangeSet"]


def test_a_template_that_is_too_large_is_said_before_anything_is_asked() -> None:
    cloud = FakeCloudFormation()
    stacks = Stacks(cloud.client, sleep=cloud.sleep, clock=cloud.clock)
    large = {"Description": "x" * 51_200}
    with pytest.raises(ProviderError, match="has 51,218 bytes, and CloudFormation takes 51,200: 18 too many"):
        stacks.deploy(NAME, large, parameters={}, tags={}, report=quiet)
    assert cloud.calls == []


def test_a_template_travels_in_ascii() -> None:
    cloud = FakeCloudFormation()
    stacks = Stacks(cloud.client, sleep=cloud.sleep, clock=cloud.clock)
    template = {"Description": "größer"}
    assert stacks.deploy(NAME, template, parameters={}, tags={}, report=quiet).template == template
    assert cloud.calls[0][1]["TemplateBody"].isascii()
