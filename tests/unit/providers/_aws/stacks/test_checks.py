"""What AWS's own checks found is in no event: it is asked for, and told as the reason."""

import pytest
from tests.fakes.cloudformation import (
    CHANGE_SET,
    NAME,
    STACK,
    FakeCloudFormation,
    Moment,
    Refused,
    Told,
    deployed,
)

from preheat_providers._aws.stacks import StackFailed

EARLY = (
    "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]. To troubleshoot"
    " Early Validation errors, use the DescribeEvents API for detailed failure information."
)


def test_what_the_checks_before_a_deploy_found_is_said() -> None:
    found = "Resource of type 'AWS::Logs::LogGroup' with identifier '/preheat/ocr/prod' already exists."
    cloud = FakeCloudFormation(change=[("FAILED", EARLY)], findings=[("now", found)])
    with pytest.raises(
        StackFailed,
        match=r"cannot be changed: Function \(AWS::\S+\): Resource .* is there already",
    ) as caught:
        deployed(cloud)
    assert str(caught.value.hint).startswith("aws logs delete-log-group --log-group-name /preheat/ocr/prod")


def test_where_the_checks_may_not_be_read_the_command_is_said() -> None:
    denied = Refused("AccessDenied", "no")
    cloud = FakeCloudFormation(change=[("FAILED", EARLY)], refused={"DescribeEvents": denied})
    with pytest.raises(StackFailed, match="EarlyValidation") as caught:
        deployed(cloud)
    assert f"describe-events --change-set-name {CHANGE_SET} " in str(caught.value.hint)


def test_checks_at_the_start_of_an_operation_are_told_those_of_before_are_not() -> None:
    said = "Validation failed with 1 error(s). Call DescribeEvents to retrieve the full list of issues."
    cloud = FakeCloudFormation("UPDATE_COMPLETE", findings=[("before", "An old one"), ("now", "The new one")])
    cloud.executed = [
        Moment("UPDATE_IN_PROGRESS"),
        Moment(None, (Told(NAME, "UPDATE_FAILED", said, type=STACK),)),
        Moment("UPDATE_ROLLBACK_COMPLETE"),
    ]
    with pytest.raises(StackFailed, match=r"Function \(AWS::Lambda::Function\): The new one\. ") as caught:
        deployed(cloud)
    assert "An old one" not in caught.value.message
