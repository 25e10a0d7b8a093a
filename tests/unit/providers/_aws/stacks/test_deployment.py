"""Deploying a stack: made, updated, awaited, cleared of what is left over, and interrupted."""

import json

import pytest
from tests.fakes.cloudformation import (
    MEMORY,
    NAME,
    TAGS,
    TEMPLATE,
    FakeCloudFormation,
    Moment,
    Refused,
    Told,
    course,
    deployed,
    rolled_back,
)

from preheat.errors import ProviderError
from preheat.progress import Event, Notice, Step
from preheat_providers._aws.stacks import StackFailed


def test_a_stack_that_is_not_there_is_made() -> None:
    cloud = FakeCloudFormation()
    stack = deployed(cloud, parameters={"ArtifactBucket": "team"})
    assert (stack.status, stack.template, stack.tags) == ("CREATE_COMPLETE", TEMPLATE, TAGS)
    assert stack.outputs == {"Endpoint": "https://example.org/"}
    (_, asked), (_, run) = cloud.calls
    assert asked["ChangeSetType"] == "CREATE"
    assert json.loads(asked["TemplateBody"]) == TEMPLATE
    assert asked["Parameters"] == [{"ParameterKey": "ArtifactBucket", "ParameterValue": "team"}]
    assert asked["Capabilities"] == ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
    assert run["ChangeSetName"] == asked["ChangeSetName"]
    assert run["RetainExceptOnCreate"] is True


def test_a_stack_that_is_there_is_updated_and_keeps_the_values_that_are_not_given() -> None:
    cloud = FakeCloudFormation("CREATE_COMPLETE", parameters={"Secret": "x"}, executed=course("UPDATE"))
    stack = deployed(cloud, parameters={"Secret": None})
    assert (stack.status, stack.template) == ("UPDATE_COMPLETE", TEMPLATE)
    asked = cloud.calls[0][1]
    assert asked["ChangeSetType"] == "UPDATE"
    assert asked["Parameters"] == [{"ParameterKey": "Secret", "UsePreviousValue": True}]


def test_of_a_stack_whose_creation_failed_nothing_stays() -> None:
    failure = Told("Function", "CREATE_FAILED", MEMORY)
    cloud = FakeCloudFormation(executed=rolled_back("CREATE", failure))
    with pytest.raises(StackFailed, match=r"could not be made: Function .* Nothing of it was kept") as caught:
        deployed(cloud)
    assert caught.value.status == "ROLLBACK_COMPLETE"
    assert cloud.changes[-1] == "DeleteStack"
    assert cloud.status == "DELETE_COMPLETE"


def test_a_rest_that_cannot_be_deleted_does_not_hide_why_there_is_one() -> None:
    cloud = FakeCloudFormation(executed=rolled_back("CREATE", Told("Function", "CREATE_FAILED", MEMORY)))
    cloud.deleted = course("DELETE", Told("Role", "DELETE_FAILED", "in use"), end="DELETE_FAILED")
    told: list[Event] = []
    with pytest.raises(StackFailed, match="3008"):
        deployed(cloud, told=told)
    assert any(isinstance(event, Notice) and "Role" in event.text for event in told)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"])
def test_what_is_left_of_a_stack_that_never_worked_is_deleted_and_made_anew(status: str) -> None:
    cloud = FakeCloudFormation(status, parameters={"Secret": "x"})
    assert deployed(cloud).status == "CREATE_COMPLETE"
    assert cloud.changes == ["DeleteStack", "CreateChangeSet", "ExecuteChangeSet"]
    assert cloud.calls[1][1]["ChangeSetType"] == "CREATE"


def test_a_stack_that_waits_for_a_change_set_is_not_deleted_under_who_is_about_to_run_it() -> None:
    cloud = FakeCloudFormation("REVIEW_IN_PROGRESS")
    assert deployed(cloud).status == "CREATE_COMPLETE"
    assert cloud.changes == ["CreateChangeSet", "ExecuteChangeSet"]
    assert cloud.calls[0][1]["ChangeSetType"] == "CREATE"


def test_what_is_under_way_is_awaited_and_then_updated() -> None:
    cloud = FakeCloudFormation("CREATE_IN_PROGRESS", executed=course("UPDATE"))
    cloud.going_on = [Moment(None, (Told("Function", "CREATE_COMPLETE"),)), Moment("CREATE_COMPLETE")]
    told: list[Event] = []
    assert deployed(cloud, told=told).status == "UPDATE_COMPLETE"
    assert told[:3] == [
        Step("apply", f"{NAME} is in CREATE_IN_PROGRESS: waiting for its end"),
        Step("apply", "Function CREATE_COMPLETE"),
        Step("apply", f"{NAME} CREATE_COMPLETE"),
    ]
    assert cloud.calls[0][1]["ChangeSetType"] == "UPDATE"


def test_a_creation_under_way_that_fails_makes_room_for_another() -> None:
    cloud = FakeCloudFormation("CREATE_IN_PROGRESS", going_on=[Moment("ROLLBACK_COMPLETE")])
    assert deployed(cloud).status == "CREATE_COMPLETE"
    assert cloud.changes == ["DeleteStack", "CreateChangeSet", "ExecuteChangeSet"]


def test_a_deletion_under_way_is_awaited_and_the_stack_made_anew() -> None:
    cloud = FakeCloudFormation("DELETE_IN_PROGRESS", going_on=[Moment("DELETE_COMPLETE")])
    assert deployed(cloud).status == "CREATE_COMPLETE"
    assert cloud.changes == ["CreateChangeSet", "ExecuteChangeSet"]


def test_an_interrupt_before_the_change_runs_leaves_nothing() -> None:
    cloud = FakeCloudFormation(change=[("CREATE_PENDING", None)] * 3, interrupt_after=1)
    with pytest.raises(KeyboardInterrupt):
        deployed(cloud)
    assert cloud.changes == ["CreateChangeSet", "DeleteChangeSet", "DeleteStack"]


def test_an_interrupt_while_the_change_runs_leaves_it_to_aws_and_says_so() -> None:
    cloud = FakeCloudFormation("UPDATE_COMPLETE", executed=course("UPDATE"), interrupt_after=1)
    told: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        deployed(cloud, told=told)
    assert cloud.changes == ["CreateChangeSet", "ExecuteChangeSet"]
    assert told[-1] == Notice("apply", f"AWS goes on with the stack {NAME}; the next deploy waits for it.")


def test_a_failure_to_clear_up_does_not_hide_what_happened() -> None:
    refused = {
        "DeleteChangeSet": Refused("AccessDenied", "no"),
        "ExecuteChangeSet": Refused("Teapot", "I am one"),
    }
    cloud = FakeCloudFormation("UPDATE_COMPLETE", refused=dict(refused))
    told: list[Event] = []
    with pytest.raises(ProviderError, match="I am one"):
        deployed(cloud, told=told)
    assert [event for event in told if isinstance(event, Notice) and "cannot be removed" in event.text]
