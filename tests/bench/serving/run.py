"""One run of the benchmark: what was asked for, what was found, and who had to be left out and why."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.serving.contenders import Contender
from tests.bench.serving.figures import Record
from tests.bench.serving.room import Room


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. `families` are the peers to measure; all without any."""

    rounds: int = 3
    seconds: float = 4.0
    families: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Memory:
    """What one contender uses with the embedding model: PSS with all its processes, and CPU while idle."""

    ready_mb: float
    loaded_mb: float
    idle_cpu: float | None
    processes: int
    ready_s: float | None


@dataclass(frozen=True, slots=True)
class Overload:
    """One open-loop load: `offered` times the capacity, what became of the requests, and how fast."""

    offered: float
    sent: int
    accepted: int
    refused: int
    failed: int
    hung: int
    accepted_p50_ms: float | None
    accepted_p99_ms: float | None
    refused_p50_ms: float | None
    refused_p99_ms: float | None


@dataclass(slots=True)
class Run:
    """What a scenario reads and writes."""

    room: Room
    options: Options
    say: Callable[[str], None]
    record: Record = field(default_factory=Record)
    memory: dict[str, Memory] = field(default_factory=dict)
    capacity_rps: list[float] = field(default_factory=list)
    overload: list[list[Overload]] = field(default_factory=list)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    _missing: set[tuple[str, str]] = field(default_factory=set)

    def takes_part(self, contender: Contender, scenario: str) -> bool:
        """Whether `contender` is installed and has not failed in `scenario`."""
        missing = {(contender.family, "every scenario"), (contender.name, scenario)}
        return not missing & self._missing

    def not_installed(self, family: str, reason: str) -> None:
        """Measure nobody of `family`; the report says why."""
        self._leave_out(family, family, "every scenario", reason)

    def leave_out(self, contender: Contender, scenario: str, reason: str) -> None:
        """Measure `contender` no more in `scenario`; the report says why."""
        self._leave_out(contender.name, contender.title, scenario, reason)

    def skip(self, contender: Contender, scenario: str, reason: str) -> None:
        """Go on without this one turn of `contender`; the report says why."""
        self._report(f"{contender.title}, {scenario}, one turn", reason)

    def _leave_out(self, name: str, title: str, scenario: str, reason: str) -> None:
        self._missing.add((name, scenario))
        self._report(f"{title}, {scenario}", reason)

    def _report(self, what: str, reason: str) -> None:
        self.left_out.append((what, reason))
        self.say(f"left out: {what}: {reason}")
