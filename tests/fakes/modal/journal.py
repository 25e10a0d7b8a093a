"""What clients have asked of the control plane, and the failures that a test has ordered."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from grpclib import GRPCError, Status
from tests.fakes.modal.bell import Bell

QUIET = frozenset(
    {"AppHeartbeat", "ContainerHeartbeat", "FunctionGetInputs", "FunctionGetDynamicConcurrency"}
)
"""What comes by the clock and would drown the rest."""


@dataclass(frozen=True)
class Entry:
    """One request: by whom (a container's id, or "" for a deployer) and with which headers."""

    rpc: str
    request: Message
    container: str
    headers: dict[str, str]


@dataclass
class Journal:
    """Every request in the order of arrival, but for `QUIET` ones; thread-safe to read."""

    bell: Bell
    entries: list[Entry] = field(default_factory=list)
    unimplemented: list[str] = field(default_factory=list)
    """The calls that nothing here answers: each was refused with UNIMPLEMENTED."""

    def add(self, entry: Entry) -> None:
        """Remember `entry`."""
        if entry.rpc not in QUIET:
            self.entries.append(entry)
            self.bell.ring()

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self.entries))

    def names(self, *, of_containers: bool = False) -> list[str]:
        """Return the names of what deployers asked, or containers."""
        return [entry.rpc for entry in self if bool(entry.container) == of_containers]

    def requests(self, rpc: str) -> list[Any]:
        """Return the requests of that name; `Any`, for each name has a type of its own."""
        return [entry.request for entry in self if entry.rpc == rpc]

    def last(self, rpc: str) -> Any:
        """Return the latest request of that name."""
        found = self.requests(rpc)
        assert found, f"Nobody asked {rpc}; asked was {sorted({entry.rpc for entry in self})}"
        return found[-1]

    def clear(self) -> None:
        """Forget everything so far."""
        self.entries.clear()


@dataclass
class _Fault:
    error: GRPCError
    times: int


@dataclass
class Faults:
    """What fails, and how often."""

    _rpcs: dict[str, _Fault] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    """What is not answered for the time being."""
    uploads_to_drop: int = 0
    """How many more uploads of volume blocks lose their connection in the middle."""
    uploads_let_through: int | None = None
    """How many uploads of volume blocks still succeed; the later ones hang. None: all succeed."""

    def fail(self, rpc: str, status: Status, message: str, times: int) -> None:
        """Answer the next `times` calls of `rpc` with an error."""
        self._rpcs[rpc] = _Fault(GRPCError(status, message), times)

    def check(self, rpc: str) -> None:
        """Raise the error that was ordered for `rpc`."""
        fault = self._rpcs.get(rpc)
        if fault and fault.times:
            fault.times -= 1
            raise fault.error
