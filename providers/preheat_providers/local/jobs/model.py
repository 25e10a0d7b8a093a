"""What the queue holds, as frozen data. A function is `name@stage`; times are seconds of the epoch, UTC."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from preheat.interface.message import Request

Clock = Callable[[], float]
Kind = Literal["job", "delivery"]
Finished = Literal["succeeded", "failed", "cancelled"]


class Log(Protocol):
    """Where the supervisor writes its events: a name and JSON values."""

    def __call__(self, event: str, **fields: object) -> None:
        """Write one event."""
        ...


def quiet(event: str, **fields: object) -> None:
    """Discard an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownObject:
    """An object that a trigger has queued, or that was there before it. `version` is the version id or eTag.

    `version` is None for an object whose bytes were never read; `mtime_ns` is 0 outside a folder.
    """

    trigger: str
    key: str
    version: str | None
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event to run, at least once. `source` and `sink` are JSON that says where to read and to write.

    `key` makes it unique among the function's deliveries. `request` is complete unless `source` has an event.
    """

    key: str
    request: Request
    source: Mapping[str, Any]
    sink: Mapping[str, Any] | None
    attempts: int
    known: KnownObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One attempt at a row. Its result is recorded only while `attempt` is still the row's newest."""

    id: str
    function: str
    kind: Kind
    attempt: int
    failures: int
    max_attempts: int
    created: float
    request: Request
    source: Mapping[str, Any] | None
    sink: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The queued rows of one function and kind; the first is due at `due`."""

    function: str
    kind: Kind
    due: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many of a function's rows are in each state."""

    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
