"""What happens to a stack from a moment on: each event once, in the order in which they came."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from preheat.progress import Report, Step
from preheat_providers._aws.errors import codes_in, translated
from preheat_providers._aws.scrubbing import plain
from preheat_providers._aws.stacks import reading
from preheat_providers._aws.stacks.model import GONE, PASSING, Stack, StackEvent
from preheat_providers._aws.stacks.waiting import Waiting

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef


class Events:
    """The events of one stack, by its name and its id, that are younger than this object."""

    def __init__(self, client: "CloudFormationClient", stack: str, stack_id: str) -> None:
        self.stack = stack
        self.stack_id = stack_id
        self.all: list[StackEvent] = []
        self._client = client
        self._seen: set[str] = set()
        self._before = next((event.id for event in self._newest_first()), None)

    def fresh(self) -> list[StackEvent]:
        """Return the events that came since the last call, the oldest first."""
        found: list[StackEvent] = []
        for event in self._newest_first():
            if event.id == self._before:
                break
            if event.id not in self._seen:  # one may arrive late, behind others that are known
                found.append(event)
        self._seen |= {event.id for event in found}
        found.reverse()
        self.all += found
        return found

    def _newest_first(self) -> Iterator[StackEvent]:
        with translated(f"The events of the stack {self.stack} cannot be read"):
            pages = self._client.get_paginator("describe_stack_events").paginate(StackName=self.stack_id)
            for page in pages:
                yield from (_event(found) for found in page["StackEvents"])


def follow(
    client: "CloudFormationClient", events: Events, waiting: Waiting, report: Report, stage: str
) -> Stack:
    """Tell the events of an operation that was asked for after `events` began; return the stack at its end.

    The state alone may still be that of before: the operation has ended when an event of the stack says so.
    """

    def ask() -> Stack | None:
        stack = reading.state(client, events.stack_id)
        _tell(events, report, stage)
        last = next((event.status for event in reversed(events.all) if event.of_stack), None)
        ended = last is not None and _final(last) and _final(stack.status)
        return stack if ended or stack.status == GONE else None

    return waiting.until(ask, f"The stack {events.stack}")


def outlast(
    client: "CloudFormationClient", stack: Stack, waiting: Waiting, report: Report, stage: str
) -> None:
    """Wait for the end of what somebody else began, and tell its events from now on."""
    events = Events(client, stack.name, stack.id)

    def ask() -> Stack | None:
        now = reading.state(client, stack.id)
        _tell(events, report, stage)
        return None if now.in_progress else now

    waiting.until(ask, f"The stack {stack.name}")


def _final(status: str) -> bool:
    return not status.endswith("_IN_PROGRESS") and status not in PASSING


def _tell(events: Events, report: Report, stage: str) -> None:
    for event in events.fresh():
        report(
            Step(stage, f"{event.resource} {event.status}" + (f": {event.reason}" if event.reason else ""))
        )


def _event(found: "StackEventTypeDef") -> StackEvent:
    reason = found.get("ResourceStatusReason", "")
    return StackEvent(
        id=found["EventId"],
        resource=found.get("LogicalResourceId", ""),
        type=found.get("ResourceType", ""),
        status=found.get("ResourceStatus", ""),
        reason=plain(reason),
        code=next(iter(codes_in(reason)), None),
        operation=found.get("OperationId"),
        of_stack=found.get("PhysicalResourceId") == found["StackId"],
    )
