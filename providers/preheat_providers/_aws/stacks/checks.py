"""What CloudFormation's own checks before a deploy found: reasons that no stack event and no change set has.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from preheat_providers._aws.errors import codes_in
from preheat_providers._aws.scrubbing import plain
from preheat_providers._aws.stacks.model import StackEvent

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import (
        DescribeEventsOutputTypeDef,
        EventFilterTypeDef,
        OperationEventTypeDef,
    )

CALLS_FOR_THEM = "DescribeEvents"
"""The reason of a change set or of a stack's event names the call that tells what was found."""


FAILED: "EventFilterTypeDef" = {"FailedEvents": True}


def found_in_change_set(client: "CloudFormationClient", change_set: str) -> tuple[StackEvent, ...]:
    """Return what was found before the change set was made; nothing where that may not be read."""
    return _found(client.get_paginator("describe_events").paginate(ChangeSetName=change_set, Filters=FAILED))


def found_in_stack(
    client: "CloudFormationClient", stack_id: str, operation: str | None
) -> tuple[StackEvent, ...]:
    """Return what was found at the start of an operation; nothing where that may not be read."""
    found = _found(client.get_paginator("describe_events").paginate(StackName=stack_id, Filters=FAILED))
    return tuple(event for event in found if operation in {None, event.operation})


def _found(pages: "Iterable[DescribeEventsOutputTypeDef]") -> tuple[StackEvent, ...]:
    from botocore.exceptions import ClientError

    try:
        events = [event for page in pages for event in page["OperationEvents"]]
    except ClientError:
        # Not allowed to whoever deploys, or not offered here: the first reason is what remains to be said
        return ()
    return tuple(_event(event) for event in events if event.get("ValidationStatusReason"))


def _event(found: "OperationEventTypeDef") -> StackEvent:
    reason = found.get("ValidationStatusReason", "")
    return StackEvent(
        id=found.get("EventId", ""),
        resource=found.get("LogicalResourceId", "the template"),
        type=found.get("ResourceType", "AWS::CloudFormation::Stack"),
        status="VALIDATION_FAILED",
        reason=plain(reason),
        code=next(iter(codes_in(reason)), None),
        operation=found.get("OperationId"),
        of_stack=False,
    )
