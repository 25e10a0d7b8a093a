"""What a failure says: which resource, AWS's reason, how the stack was left, and what to do."""

from collections.abc import Sequence

from preheat_providers._aws.errors import explain
from preheat_providers._aws.stacks.model import STUCK, Stack, StackEvent, StackFailed

LEFT = {
    "ROLLBACK_COMPLETE": "Nothing of it was kept.",
    "UPDATE_ROLLBACK_COMPLETE": "It was put back to what it was before.",
    "UPDATE_ROLLBACK_FAILED": "It could not be put back to what it was before.",
    "DELETE_FAILED": "The rest of it was deleted.",
    "DELETE_COMPLETE": "Somebody deleted it meanwhile.",
}


def failed(stack: Stack, could_not: str, events: Sequence[StackEvent]) -> StackFailed:
    """Return the error for a stack that ended in `stack.status`; `could_not` is "made", "updated", ..."""
    failures = tuple(event for event in events if event.failed)
    said = told(failures) or stack.reason or f"it is {stack.status}"
    fix = explain(failures[0].code, failures[0].reason) if failures else explain(None, said)
    hint = (
        fix.hint if fix is not None else f"aws cloudformation describe-stack-events --stack-name {stack.name}"
    )
    sentences = (
        f"The stack {stack.name} could not be {could_not}: {said.rstrip('.')}.",
        fix.why if fix is not None else "",
        LEFT.get(stack.status, ""),
    )
    return StackFailed(
        " ".join(filter(None, sentences)),
        hint=unstuck(stack.name, hint) if stack.status in STUCK else hint,
        status=stack.status,
        failures=failures,
    )


def told(failures: Sequence[StackEvent]) -> str:
    """Return what failed, in a line."""
    return "; ".join(f"{event.resource} ({event.type}): {event.reason.rstrip('.')}" for event in failures)


def stuck(stack: Stack) -> StackFailed:
    """Return the error for a stack that can be neither updated nor left alone."""
    message = f"The stack {stack.name} is in {stack.status}: an update failed, and so did going back"
    return StackFailed(
        f"{message}: {stack.reason}" if stack.reason else f"{message}.",
        hint=unstuck(stack.name, None),
        status=stack.status,
    )


def unstuck(name: str, first: str | None) -> str:
    """Return the line that lets a stack go back, after what has to be done first."""
    line = f"aws cloudformation continue-update-rollback --stack-name {name}"
    return (
        f"{first}\n{line}" if first else f"{line}  # --resources-to-skip NAME gives one up; then deploy again"
    )
