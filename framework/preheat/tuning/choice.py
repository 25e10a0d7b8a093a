"""Which variant wins, from what was measured. Pure: figures in, a choice and its reasons out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from preheat.tuning.variants import Objective, Variant

EXACT = 1e-4
"""How far a variant that only computes in another order may be off, relative to the largest value."""
NEAR = 1.03
"""Figures within this factor of the best are equal: less cannot be told from noise."""
WORTH = 0.9
"""What a switch of the session must bring: other machines may answer it otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one kind of session took, each the median over the rounds."""

    load_ms: float
    first_ms: float
    steady_ms: float
    rss_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """How far answers are from others, the worst of all recorded calls. See trial/compare.py."""

    identical: bool
    max_abs: float
    max_rel: float
    cosine: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A variant with its figures. `swap` compares answers before `then` took over with those after it."""

    variant: Variant
    bytes: int
    load: Figures
    settled: Figures
    deviation: Deviation
    swap: Deviation | None = None
    rejected: str | None = None

    @property
    def cold_ms(self) -> float:
        """From no session to the first answer."""
        return self.load.load_ms + self.load.first_ms

    @property
    def usable(self) -> bool:
        """Whether it may be chosen."""
        return self.rejected is None and self.variant.reference_only is None


def rejection(variant: Variant, deviation: Deviation, swap: Deviation | None, tolerance: float) -> str | None:
    """Say why a variant's answers are too far from the original's; None where they are near enough.

    A `lossy` graph may lower the cosine by `tolerance`; others may differ by EXACT, and so may the two
    sessions of one graph. With a tolerance of 0, no answer may differ by a bit, before or after a swap.
    """
    if variant.graph.lossy and not deviation.identical and 0 < tolerance < 1 - deviation.cosine:
        return f"cosine {deviation.cosine:.4f} is below {1 - tolerance:g}"
    for found, exact, where in (
        (deviation, not variant.graph.lossy, ""),
        (swap, True, " when the second session takes over"),
    ):
        if found is None or found.identical:
            continue
        if not math.isfinite(found.max_abs):
            return f"another shape, or values that are no numbers{where}"
        if tolerance == 0:
            return f"off by {found.max_rel:.1e}{where}, and the tolerance is 0"
        if exact and found.max_rel > EXACT:
            return f"off by {found.max_rel:.1e}{where}, more than {EXACT:g}"
    return None


_ORDER: dict[Objective, tuple[Callable[[Outcome], float], ...]] = {
    "cold": (
        lambda outcome: outcome.cold_ms,
        lambda outcome: outcome.settled.steady_ms,
        lambda outcome: outcome.bytes,
    ),
    "throughput": (
        lambda outcome: outcome.settled.steady_ms,
        lambda outcome: outcome.cold_ms,
        lambda outcome: outcome.bytes,
    ),
    "size": (
        lambda outcome: outcome.bytes,
        lambda outcome: outcome.cold_ms,
        lambda outcome: outcome.settled.steady_ms,
    ),
}


def choose(outcomes: Sequence[Outcome], objective: Objective) -> Outcome:
    """Return the best usable outcome; among those NEAR it, the best by the next figure, and so on."""
    left = [outcome for outcome in outcomes if outcome.usable]
    for figure in _ORDER[objective]:
        best = min(map(figure, left))
        left = [outcome for outcome in left if figure(outcome) <= best * NEAR]
    return left[0]


def refined(base: Outcome, changed: Sequence[Outcome], objective: Objective) -> Outcome:
    """Return the best of `changed` if it is WORTH a setting and makes nothing else worse, else `base`."""
    first, *others = _ORDER[objective]
    better = [
        outcome
        for outcome in changed
        if outcome.usable
        and first(outcome) < WORTH * first(base)
        and all(figure(outcome) <= NEAR * figure(base) for figure in others)
    ]
    return min(better, key=first, default=base)


def frontier(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Return the usable outcomes that no other beats in cold start, steady state and size together."""
    usable = [outcome for outcome in outcomes if outcome.usable]
    return tuple(outcome for outcome in usable if not any(_beats(other, outcome) for other in usable))


def _beats(one: Outcome, other: Outcome) -> bool:
    pairs = [(figure(one), figure(other)) for figure in _ORDER["cold"]]
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)
