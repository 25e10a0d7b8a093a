"""What the pure core asks of a transport, and what it hears back. A conversation is a generator of these."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from preheat.client.uploads import Upload

T = TypeVar("T")


class Repeat(Enum):
    """When a request may be sent again."""

    REFUSED = "only when the endpoint did not take it"
    SAFE = "also when it may have run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. `path` is relative to the endpoint; a `streamed` answer's body is left unread.

    A call that goes `elsewhere` has a whole URL for a path, and does not carry the endpoint's token.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes | Upload = field(default=b"", repr=False)
    repeat: Repeat = Repeat.SAFE
    streamed: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Send:
    """Make `call` and answer with Answer or Failed; give up at `deadline`, a time of the core's clock."""

    call: Call
    deadline: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds and answer with None."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, header names in lower case. `live` is the transport's handle of an unread body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    live: object = None


class Cause(Enum):
    """How a request failed without an answer."""

    CONNECT = "no connection was made, so nothing was sent"
    UNTRUSTED = "the endpoint's certificate is not trusted, so nothing was sent"
    BROKEN = "the connection closed before the answer was complete"
    TIMEOUT = "the answer did not come in time"


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer came."""

    cause: Cause
    detail: str


Outcome: TypeAlias = Answer | Failed
Steps: TypeAlias = Generator[Send | Pause, Outcome | None, T]
