"""Deletes a stack and says what went with it."""

from typing import TYPE_CHECKING

from preheat.progress import Report
from preheat_providers._aws.errors import translated
from preheat_providers._aws.stacks import reading
from preheat_providers._aws.stacks.events import Events, follow, outlast
from preheat_providers._aws.stacks.failures import failed
from preheat_providers._aws.stacks.model import GONE, Stack
from preheat_providers._aws.stacks.waiting import Waiting

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


def delete_stack(
    client: "CloudFormationClient", stack: Stack, waiting: Waiting, report: Report, stage: str
) -> tuple[str, ...]:
    """Delete the stack and wait for its end; return what was removed as "TYPE physical-id".

    Raises StackFailed, naming the resource that would not go.
    """
    if stack.in_progress and stack.status != "DELETE_IN_PROGRESS":
        outlast(client, stack, waiting, report, stage)
    resources = reading.resources(client, stack)
    events = Events(client, stack.name, stack.id)
    with translated(f"The stack {stack.name} cannot be deleted"):
        client.delete_stack(StackName=stack.id)  # by id: never another one that has the name by now
    after = follow(client, events, waiting, report, stage)
    if after.status != GONE:
        raise failed(after, "deleted", events.all)
    kept = {event.resource for event in events.all if event.status == "DELETE_SKIPPED"}
    return tuple(what for logical, what in resources.items() if logical not in kept)
