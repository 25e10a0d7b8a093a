"""What jobs need of the platform, as protocols. Ships."""

from dataclasses import dataclass
from typing import Protocol

from preheat_providers.modal.shipped.jobs.records import Item


@dataclass(frozen=True, slots=True)
class Lost:
    """A call that ended without an answer, and why."""

    why: str


class Forgotten:
    """A call whose result is not kept any more."""


Outcome = Item | Lost | Forgotten | None
"""What a call came to; None while it waits or runs."""


class Entries(Protocol):
    """Entries by key. Every method raises Unavailable where the platform does not answer."""

    async def add(self, key: str, item: Item) -> bool:
        """Write `item` where nothing is; say whether it was written."""
        ...

    async def put(self, key: str, item: Item) -> None:
        """Write `item`, whatever is there."""
        ...

    async def get(self, key: str) -> Item | None:
        """Return what is there."""
        ...


class Calls(Protocol):
    """Calls of the function that runs jobs. Every method raises Unavailable likewise."""

    async def spawn(self, job_id: str, request: Item) -> str:
        """Begin a call and return its id."""
        ...

    async def outcome(self, call_id: str) -> Outcome:
        """Return what the call has come to so far."""
        ...

    async def cancel(self, call_id: str) -> None:
        """Stop the call, whether it waits or runs."""
        ...
