"""A stack that waits for a change set takes a second one; MiniStack would put another stack in its place.

`aws cloudformation deploy` relies on the same: it makes a change set of the type CREATE for a stack in
REVIEW_IN_PROGRESS.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import changesets

WAITS = "REVIEW_IN_PROGRESS"


def keep_waiting_stacks() -> None:
    """Let a second change set of a new stack be of the same stack from now on."""
    create, draw = changesets._create_change_set, changesets.new_uuid

    def kept(params: Mapping[str, Any]) -> Any:
        stack = cloudformation._stacks.get(changesets._p(params, "StackName"))
        waits = stack is not None and stack["StackStatus"] == WAITS
        if not waits:
            return create(params)
        changesets.new_uuid = _first(stack["StackId"].rpartition("/")[2], draw)
        try:
            return create(params)
        finally:
            changesets.new_uuid = draw

    cloudformation._ACTION_HANDLERS["CreateChangeSet"] = kept


def _first(value: str, others: Callable[[], str]) -> Callable[[], str]:
    given = iter([value])
    return lambda: next(given, None) or others()
