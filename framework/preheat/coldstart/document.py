"""A measurement as JSON values: the stable shape of `preheat coldstart --json`. Pure.

What the first condition found stands at the top; `conditions` has all of them.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from preheat.coldstart.model import Comparison, Figures, Phase, Result, Spread, Verdict

FORMAT = 1


def document(result: Result) -> dict[str, Any]:
    """Return it."""
    head = result.figures[0]
    return {
        "format": FORMAT,
        "name": result.name,
        "stage": result.stage,
        "provider": result.provider,
        "digest": result.digest,
        "entry": result.entry,
        "without": result.without,
        "machine": dict(result.machine),
        "runs": result.runs,
        **_figures(head),
        "phases": _phases(result.phases),
        "imports": [_rounded(asdict(each)) for each in result.imports],
        "weights": {
            "bytes": result.weights_bytes,
            "read_ms": {state: round(ms, 3) for state, ms in result.weights_read_ms.items()},
        },
        "conditions": [_figures(each) for each in result.figures],
        "savings": None if result.savings is None else [_rounded(asdict(each)) for each in result.savings],
        "budget": None if result.verdict is None else verdict_document(result.verdict),
        "comparison": None if result.comparison is None else _comparison(result.comparison),
    }


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """Return a budget and what was measured."""
    return {
        "key": verdict.key,
        "limit": verdict.limit,
        "measured": verdict.measured,
        "kept": verdict.kept,
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "cache": figures.condition.cache,
        "cores": figures.condition.cores,
        "total_ms": _spread(figures.total_ms),
        "ready_ms": round(figures.ready_ms, 3),
        "first_answer_ms": round(figures.first_answer_ms, 3),
        "second_answer_ms": round(figures.second_answer_ms, 3),
        "cpu_ms": round(figures.cpu_ms, 3),
        "rss_bytes": figures.rss_bytes,
        "read_bytes": figures.read_bytes,
        "bare_ms": round(figures.bare_ms, 3),
        "ratio": round(figures.ratio, 3),
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "release": comparison.release,
        "digest": comparison.digest,
        "total_ms": _spread(comparison.total_ms),
        "rss_bytes": comparison.rss_bytes,
        "ratio": round(comparison.ratio, 3),
        "phases": _phases(comparison.phases),
    }


def _phases(phases: tuple[Phase, ...]) -> list[dict[str, Any]]:
    return [_rounded(asdict(phase)) for phase in phases]


def _spread(spread: Spread) -> dict[str, float]:
    return {"p50": round(spread.p50, 3), "p95": round(spread.p95, 3)}


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(each, 3) if isinstance(each, float) else each for name, each in values.items()}
