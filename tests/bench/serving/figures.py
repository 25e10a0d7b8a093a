"""What was measured, and ratios of it: the median over rounds of the ratio within each round. Pure."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Quantity = Literal["rps", "p50_ms", "p99_ms", "cpu_us"]
Series = Mapping[int, float]
"""One figure for each round in which it was measured."""


@dataclass(frozen=True, slots=True)
class Point:
    """One load of one contender. `rps` counts right answers only; `probed` were compared in full.

    `cpu_us` is what the server's processes spend on one request: it holds on a busy machine too.
    The loop without a server has throughput alone.
    """

    rps: float
    p50_ms: float | None
    p99_ms: float | None
    requests: int
    failed: int = 0
    wrong: int = 0
    probed: int = 0
    cpu_us: float | None = None

    def with_probe(self, checked: int, wrong: int) -> "Point":
        """Return the point with what a probe beside the load saw."""
        return replace(self, probed=checked, wrong=self.wrong + wrong)

    def with_cpu(self, seconds: float) -> "Point":
        """Return the point with the processor time that its requests took together."""
        return replace(self, cpu_us=1e6 * seconds / (self.requests + self.probed))


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """What a figure belongs to: a scenario, a contender and a number of connections."""

    scenario: str
    contender: str
    connections: int


@dataclass(slots=True)
class Record:
    """Every point of a run, by place and round."""

    points: dict[Place, dict[int, Point]] = field(default_factory=dict)

    def add(self, place: Place, round_number: int, point: Point) -> None:
        """Keep one point."""
        self.points.setdefault(place, {})[round_number] = point

    def series(self, scenario: str, contender: str, connections: int, quantity: Quantity = "rps") -> Series:
        """Return a quantity by round; empty where it was not measured."""
        found = self.points.get(Place(scenario, contender, connections), {})
        values = {number: getattr(point, quantity) for number, point in found.items()}
        return {number: value for number, value in values.items() if value is not None}

    def contenders(self, scenario: str) -> list[str]:
        """Return who was measured in `scenario`, in order of appearance."""
        return list(dict.fromkeys(place.contender for place in self.points if place.scenario == scenario))

    def connections(self, scenario: str) -> list[int]:
        """Return the numbers of connections of `scenario`, ascending."""
        return sorted({place.connections for place in self.points if place.scenario == scenario})


def median(series: Series) -> float | None:
    """Return the median over rounds, None without any."""
    return statistics.median(series.values()) if series else None


def ratio(numerator: Series, denominator: Series) -> float | None:
    """Return the median of the ratios of the rounds that both have; None without one."""
    shared = [numerator[number] / denominator[number] for number in numerator if denominator.get(number)]
    return statistics.median(shared) if shared else None


def best(several: Iterable[Series]) -> Series:
    """Return, for each round, the largest figure of any of the series."""
    found: dict[int, float] = {}
    for series in several:
        for number, value in series.items():
            found[number] = max(value, found.get(number, value))
    return found
