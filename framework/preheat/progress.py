"""What a long operation says of itself: the library reports events, only the command line prints them."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """A stage began (`bundle`, `plan`, `apply`, ...) or said what it is doing."""

    stage: str
    text: str


@dataclass(frozen=True, slots=True)
class Amount:
    """`done` of `total` (bytes or items) of something named `text`; `total` is None while unknown."""

    stage: str
    text: str
    done: int
    total: int | None
    unit: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know though nothing failed, such as byte-code that could not be compiled."""

    stage: str
    text: str
    hint: str | None = None


Event = Step | Amount | Notice
Report = Callable[[Event], None]


def quiet(event: Event) -> None:
    """Discard `event`."""
