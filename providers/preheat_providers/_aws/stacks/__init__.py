"""Stacks of CloudFormation: found, brought to a template, and deleted, each event of it told once."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from preheat.progress import Report
from preheat_providers._aws.stacks import reading
from preheat_providers._aws.stacks.changes import change
from preheat_providers._aws.stacks.deletion import delete_stack
from preheat_providers._aws.stacks.deployment import Deployment, demand_values
from preheat_providers._aws.stacks.model import Stack, StackEvent, StackFailed
from preheat_providers._aws.stacks.waiting import LONGEST_S, Waiting

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

__all__ = ["Stack", "StackEvent", "StackFailed", "Stacks"]


class Stacks:
    """The stacks of one account and region. Every method raises ProviderError for what AWS refuses."""

    def __init__(
        self,
        client: "CloudFormationClient",
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._client = client
        self._waiting = Waiting(sleep, clock, longest_s)

    def find(self, name: str) -> Stack | None:
        """Return the stack of this name, with its template; None if there is none."""
        return reading.find(self._client, name)

    def listed(self, tags: Mapping[str, str]) -> tuple[Stack, ...]:
        """Return the stacks that carry all of `tags`, without their templates."""
        return reading.listed(self._client, tags)

    def resources(self, stack: Stack) -> Mapping[str, str]:
        """Return what the stack still has, by logical id, as "TYPE physical-id"."""
        return reading.resources(self._client, stack)

    def deploy(
        self,
        name: str,
        template: Mapping[str, Any],
        *,
        parameters: Mapping[str, str | None],
        tags: Mapping[str, str],
        report: Report,
    ) -> Stack:
        """Bring the stack to `template` and return it as it is then; a parameter of None keeps its value.

        Raises StackFailed, naming the resource, the reason and the fix. What is under way is awaited first;
        of a stack whose creation failed nothing stays, so that the next deploy can make it.
        """
        deployment = Deployment(self._client, self._waiting, report)
        base = deployment.base(name)
        demand_values(name, parameters, base)
        deployment.apply(change(name, "UPDATE" if base else "CREATE", template, parameters, tags))
        stack = reading.find(self._client, name)
        if stack is None:
            raise StackFailed(
                f"The stack {name} is gone: somebody deleted it while it was deployed.",
                hint="Deploy again, which makes it anew.",
                status=None,
            )
        return stack

    def delete(self, name: str, *, report: Report) -> tuple[str, ...]:
        """Delete the stack, if there is one; return what was removed as "TYPE physical-id"."""
        stack = reading.find(self._client, name)
        if stack is None:
            return ()
        return delete_stack(self._client, stack, self._waiting, report, "destroy")
