"""What a measurement is asked for and what it found, as frozen data. Times are in ms, sizes in bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

CacheState = Literal["warm", "cold"]
Cores = Literal["all", "one"]
LEAST_SHARE = 0.02
"""A saving below this share of a start is none."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a start finds: its files in the page cache or not, and how many processors it may use."""

    cache: CacheState = "warm"
    cores: Cores = "all"

    def __str__(self) -> str:
        return f"{self.cache} page cache, {'one core' if self.cores == 'one' else 'all cores'}"


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and the upper end of some figures."""

    p50: float
    p95: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """Return the spread of `figures`, interpolated between neighbours."""
        return cls(quantile(figures, 0.5), quantile(figures, 0.95))


def quantile(figures: Sequence[float], share: float) -> float:
    """Return what `share` of `figures` do not exceed, interpolated linearly (Hyndman and Fan's type 7)."""
    ordered = sorted(figures)
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One start. `total_ms` is from before the process to its first answer, `ready_ms` to its own word.

    `read_bytes` came from storage; None where the kernel does not say. `marks` is what the probe has
    told, `log` what the process wrote to standard error; `began_ns` is when it was started, on the
    machine's monotonic clock.
    """

    began_ns: int
    ready_ms: float
    total_ms: float
    first_answer_ms: float
    second_answer_ms: float
    cpu_ms: float
    rss_bytes: int
    read_bytes: int | None
    answer: bytes
    marks: tuple[Mapping[str, Any], ...] = ()
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """One start of the reference: an interpreter that opens the same models, and does nothing else."""

    total_ms: float
    import_ms: float
    session_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A step of a start; `within` names the one that it is a part of."""

    name: str
    start_ms: float
    ms: float
    within: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A module and what its import took: with everything that it imported itself, and without.

    `asked_by` is the module that imported it first, None for the start itself.
    """

    name: str
    ms: float
    self_ms: float
    asked_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The starts under one condition; `bare_ms` and `ratio` are medians, of the same rounds."""

    condition: Condition
    total_ms: Spread
    ready_ms: float
    first_answer_ms: float
    second_answer_ms: float
    cpu_ms: float
    rss_bytes: int
    read_bytes: int | None
    bare_ms: float
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What would make a start shorter: `ms` as measured, and `how` to take it."""

    what: str
    how: str
    ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A budget of preheat.toml against what was measured."""

    key: Literal["p95_ms", "ratio"]
    limit: float
    measured: float

    @property
    def kept(self) -> bool:
        """Whether it was enough."""
        return self.measured <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The starts of an earlier release in the same rounds; `ratio` is now by then, a median over rounds."""

    release: int
    digest: str
    total_ms: Spread
    rss_bytes: int
    ratio: float
    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything that was found. The first of `figures` is what `phases` and the budget are about.

    `savings` is None where none were looked for.
    """

    name: str
    stage: str
    provider: str
    digest: str
    entry: str
    without: str
    machine: Mapping[str, Any]
    runs: int
    figures: tuple[Figures, ...]
    phases: tuple[Phase, ...]
    imports: tuple[Import, ...]
    weights_bytes: int
    weights_read_ms: Mapping[CacheState, float]
    savings: tuple[Saving, ...] | None = None
    verdict: Verdict | None = None
    comparison: Comparison | None = None
