"""One deploy of a stack: what is under way is awaited, what is left over is cleared, then the change runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from preheat.errors import ProviderError
from preheat.progress import Notice, Report, Step
from preheat_providers._aws.stacks import reading
from preheat_providers._aws.stacks.changes import Change, Changes
from preheat_providers._aws.stacks.checks import CALLS_FOR_THEM, found_in_stack
from preheat_providers._aws.stacks.deletion import delete_stack
from preheat_providers._aws.stacks.events import Events, follow, outlast
from preheat_providers._aws.stacks.failures import failed, stuck
from preheat_providers._aws.stacks.model import DONE, REMAINS, REVIEWED, STUCK, Stack, StackEvent
from preheat_providers._aws.stacks.waiting import Waiting

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

STAGE = "apply"


class Deployment:
    """Brings one stack to what is wanted."""

    def __init__(self, client: "CloudFormationClient", waiting: Waiting, report: Report) -> None:
        self._client = client
        self._waiting = waiting
        self._report = report
        self._changes = Changes(client, waiting)

    def base(self, name: str) -> Stack | None:
        """Return the stack to update, None if one is to be made. Raises StackFailed if neither can be."""
        stack = reading.find(self._client, name)
        if stack is not None and stack.in_progress:
            self._report(Step(STAGE, f"{name} is in {stack.status}: waiting for its end"))
            outlast(self._client, stack, self._waiting, self._report, STAGE)
            stack = reading.find(self._client, name)
        if stack is not None and stack.status in STUCK:
            raise stuck(stack)
        if stack is not None and stack.status == REVIEWED:
            return None  # another deploy may be about to run its change set: two may wait side by side
        if stack is not None and stack.status in REMAINS:
            self._report(Step(STAGE, f"{name} is in {stack.status}: deleting what is left of it"))
            delete_stack(self._client, stack, self._waiting, self._report, STAGE)
            return None
        return stack

    def apply(self, wanted: Change) -> None:
        """Run the change, unless nothing differs. Raises StackFailed."""
        with self._nothing_left_of(wanted):
            stack_id = self._changes.prepared(wanted)
            if stack_id is None:
                return
            events = Events(self._client, wanted.stack, stack_id)
            self._changes.run(wanted)
        try:
            stack = follow(self._client, events, self._waiting, self._report, STAGE)
        except KeyboardInterrupt:
            text = f"AWS goes on with the stack {wanted.stack}; the next deploy waits for it."
            self._report(Notice(STAGE, text))
            raise
        if stack.status in DONE:
            return
        error = failed(stack, "made" if wanted.kind == "CREATE" else "updated", self._causes(events))
        if stack.status in REMAINS:
            self._clear(stack)
        raise error

    def _causes(self, events: Events) -> list[StackEvent]:
        """Return the events, with what AWS's own checks found where it is these that failed."""
        calling = next((event for event in events.all if CALLS_FOR_THEM in event.reason), None)
        if calling is None:
            return events.all
        return [*events.all, *found_in_stack(self._client, events.stack_id, calling.operation)]

    @contextmanager
    def _nothing_left_of(self, wanted: Change) -> Iterator[None]:
        """Remove a change set that did not run, and the empty stack that was made for it."""
        try:
            yield
        except BaseException:
            self._withdraw(wanted)
            raise

    def _withdraw(self, wanted: Change) -> None:
        try:
            alone = self._changes.remove(wanted) and wanted.kind == "CREATE"
            stack = reading.find(self._client, wanted.stack) if alone else None
        except ProviderError as error:
            self._report(Notice(STAGE, error.message, hint=error.hint))
        else:
            if stack is not None and stack.status == REVIEWED:
                self._clear(stack)

    def _clear(self, stack: Stack) -> None:
        """Delete what is left over. That this fails must not hide why there is a rest."""
        try:
            delete_stack(self._client, stack, self._waiting, self._report, STAGE)
        except ProviderError as error:
            self._report(Notice(STAGE, error.message, hint=error.hint))


def demand_values(name: str, parameters: Mapping[str, str | None], stack: Stack | None) -> None:
    """Raise ProviderError for a parameter that is to keep a value which the stack does not have."""
    known = stack.parameters if stack is not None else {}
    missing = [key for key, value in parameters.items() if value is None and key not in known]
    if missing:
        raise ProviderError(
            f"The stack {name} has no value of {', '.join(sorted(missing))} to keep.",
            hint="deploy with the secrets in the environment: their values are not known from before",
        )
