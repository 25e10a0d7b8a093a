"""Starts to figures: medians over rounds, and ratios as medians of the rounds' own ratios. Pure."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace

from preheat.coldstart.model import (
    Bare,
    Comparison,
    Condition,
    Figures,
    Import,
    Phase,
    Sample,
    Spread,
    Verdict,
)
from preheat.coldstart.subject import Earlier
from preheat.project.model import Coldstart


def figures_of(condition: Condition, samples: Sequence[Sample], bares: Sequence[Bare]) -> Figures:
    """Return the figures of one condition; each start stands beside the reference of its round."""

    def middle(of: Callable[[Sample], float]) -> float:
        return statistics.median(of(sample) for sample in samples)

    read = [sample.read_bytes for sample in samples if sample.read_bytes is not None]
    pairs = zip(samples, bares, strict=True)
    return Figures(
        condition=condition,
        total_ms=Spread.of([sample.total_ms for sample in samples]),
        ready_ms=middle(lambda sample: sample.ready_ms),
        first_answer_ms=middle(lambda sample: sample.first_answer_ms),
        second_answer_ms=middle(lambda sample: sample.second_answer_ms),
        cpu_ms=middle(lambda sample: sample.cpu_ms),
        rss_bytes=round(middle(lambda sample: sample.rss_bytes)),
        read_bytes=round(statistics.median(read)) if read else None,
        bare_ms=statistics.median(bare.total_ms for bare in bares),
        ratio=statistics.median(sample.total_ms / bare.total_ms for sample, bare in pairs),
    )


def comparison_of(
    earlier: Earlier, now: Sequence[Sample], then: Sequence[Sample], phases: tuple[Phase, ...]
) -> Comparison:
    """Return starts of an earlier release beside those of now, of the same rounds."""
    pairs = zip(now, then, strict=True)
    return Comparison(
        release=earlier.release,
        digest=earlier.subject.bundle.digest,
        total_ms=Spread.of([sample.total_ms for sample in then]),
        rss_bytes=round(statistics.median(sample.rss_bytes for sample in then)),
        ratio=statistics.median(after.total_ms / before.total_ms for after, before in pairs),
        phases=phases,
    )


def verdict_of(budget: Coldstart, figures: Figures) -> Verdict | None:
    """Return whether `budget` was kept; None for a project without one.

    What is judged is what is shown: tenths of a ms, hundredths of a ratio.
    """
    if budget.p95_ms is not None:
        return Verdict(key="p95_ms", limit=budget.p95_ms, measured=round(figures.total_ms.p95, 1))
    if budget.ratio is not None:
        return Verdict(key="ratio", limit=budget.ratio, measured=round(figures.ratio, 2))
    return None


def typical_imports(runs: Sequence[Sequence[Import]]) -> tuple[Import, ...]:
    """Return the imports of the first run with the median times of all runs that have them."""
    found = []
    for each in runs[0]:
        same = [one for run in runs for one in run if one.name == each.name]
        ms = statistics.median(one.ms for one in same)
        found.append(replace(each, ms=ms, self_ms=statistics.median(one.self_ms for one in same)))
    return tuple(found)
