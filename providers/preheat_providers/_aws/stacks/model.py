"""A stack, its events and its failures, as data; and what its states mean.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html (read on 2026-11-21)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from preheat.errors import ProviderError

REVIEWED = "REVIEW_IN_PROGRESS"
"""A stack of which nothing exists but a change set, which somebody may still run."""

REMAINS = frozenset((REVIEWED, "CREATE_FAILED", "ROLLBACK_FAILED", "ROLLBACK_COMPLETE", "DELETE_FAILED"))
"""What is left of a stack that never worked, or of a deletion: it can only be deleted."""

GONE = "DELETE_COMPLETE"
DONE = frozenset(("CREATE_COMPLETE", "UPDATE_COMPLETE"))
INVALID = REMAINS | {"CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS", GONE}
"""What the template of a stack in such a state says does not exist, or not yet."""

PASSING = frozenset(("CREATE_FAILED", "UPDATE_FAILED"))
"""States that an operation goes through on its way back: we never ask to stay in them."""

STUCK = frozenset(("UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED", "IMPORT_ROLLBACK_FAILED"))
"""Neither to be updated nor to be left alone: somebody has to mend the cause first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack as it is. `template` is the original one, and empty where its resources do not exist (yet).

    Values of parameters that are secret are asterisks.
    """

    name: str
    id: str
    status: str
    reason: str | None
    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    tags: Mapping[str, str]

    @property
    def in_progress(self) -> bool:
        """Whether CloudFormation is at work on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != REVIEWED


@dataclass(frozen=True, slots=True, kw_only=True)
class StackEvent:
    """What happened to one resource, or to the stack itself. `code` is AWS's, where its reason names one."""

    id: str
    resource: str
    type: str
    status: str
    reason: str
    code: str | None
    operation: str | None
    of_stack: bool

    @property
    def failed(self) -> bool:
        """Whether this resource failed by itself, and not because another one did."""
        return self.status.endswith("_FAILED") and not self.of_stack and "cancelled" not in self.reason


class StackFailed(ProviderError):
    """A stack could not be made, updated or deleted. `status` is the state in which it was left, if known."""

    def __init__(
        self, message: str, *, hint: str | None, status: str | None, failures: Sequence[StackEvent] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.failures = tuple(failures)
