"""Deleting a stack: waited for, with a receipt of what went and the reason of what did not."""

import pytest
from tests.fakes.cloudformation import ID, NAME, FakeCloudFormation, Moment, Refused, Told, course

from preheat.errors import ProviderError
from preheat.progress import Event, Step, quiet
from preheat_providers._aws.stacks import StackFailed, Stacks

RESOURCES = {
    "Function": ("AWS::Lambda::Function", "preheat-ocr-prod"),
    "Table": ("AWS::DynamoDB::Table", "preheat-ocr-prod-once"),
}


def stacks(cloud: FakeCloudFormation) -> Stacks:
    return Stacks(cloud.client, sleep=cloud.sleep, clock=cloud.clock)


def test_the_receipt_names_what_was_removed() -> None:
    cloud = FakeCloudFormation("UPDATE_COMPLETE", resources=RESOURCES)
    told: list[Event] = []
    removed = stacks(cloud).delete(NAME, report=told.append)
    assert removed == ("AWS::Lambda::Function preheat-ocr-prod", "AWS::DynamoDB::Table preheat-ocr-prod-once")
    assert told == [Step("destroy", f"{NAME} DELETE_IN_PROGRESS"), Step("destroy", f"{NAME} DELETE_COMPLETE")]
    assert cloud.calls == [("DeleteStack", {"StackName": ID})]


def test_what_is_retained_is_not_on_the_receipt() -> None:
    skipped = Told("Table", "DELETE_SKIPPED", type="AWS::DynamoDB::Table")
    cloud = FakeCloudFormation("UPDATE_COMPLETE", resources=RESOURCES, deleted=course("DELETE", skipped))
    assert stacks(cloud).delete(NAME, report=quiet) == ("AWS::Lambda::Function preheat-ocr-prod",)


def test_no_stack_is_nothing_to_delete() -> None:
    cloud = FakeCloudFormation()
    assert stacks(cloud).delete(NAME, report=quiet) == ()
    assert cloud.calls == []


def test_a_resource_that_will_not_go_is_named_with_the_reason_and_the_fix() -> None:
    reason = "The bucket you tried to delete is not empty (Service: S3, Status Code: 409, Request ID: 1)"
    failure = Told("JobsBucket", "DELETE_FAILED", reason, type="AWS::S3::Bucket")
    cloud = FakeCloudFormation("UPDATE_COMPLETE", deleted=course("DELETE", failure, end="DELETE_FAILED"))
    with pytest.raises(StackFailed) as caught:
        stacks(cloud).delete(NAME, report=quiet)
    assert caught.value.message == (
        f"The stack {NAME} could not be deleted: JobsBucket (AWS::S3::Bucket): The bucket you tried to delete"
        " is not empty. AWS deletes no bucket that holds objects, old versions of them included."
        " The rest of it was deleted."
    )
    assert str(caught.value.hint).startswith("aws s3 rm --recursive")


def test_an_update_under_way_is_awaited_first() -> None:
    cloud = FakeCloudFormation("UPDATE_IN_PROGRESS", going_on=[Moment("UPDATE_COMPLETE")])
    stacks(cloud).delete(NAME, report=quiet)
    assert cloud.status == "DELETE_COMPLETE"


def test_a_protected_stack_says_how_to_lift_the_protection() -> None:
    message = f"Stack [{NAME}] cannot be deleted while TerminationProtection is enabled"
    cloud = FakeCloudFormation(
        "UPDATE_COMPLETE", refused={"DeleteStack": Refused("ValidationError", message)}
    )
    with pytest.raises(ProviderError, match="protected") as caught:
        stacks(cloud).delete(NAME, report=quiet)
    assert f"--stack-name {NAME}" in str(caught.value.hint)


def test_a_stack_that_is_gone_without_a_word_is_gone() -> None:
    cloud = FakeCloudFormation("UPDATE_COMPLETE", resources=RESOURCES, mute=True)
    assert len(stacks(cloud).delete(NAME, report=quiet)) == 2
