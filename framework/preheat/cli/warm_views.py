"""What a reader sees of a warm plan, as lines and as JSON. In: frozen data. Touches nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from preheat.cli.problems import note
from preheat.cli.text import bold, columns, dim, dollars, human_ms, paste
from preheat.provider.warm_options import Demand
from preheat.warming.planner import Choice, Plan, span_text
from preheat.warming.simulate import Replay

HEAD = ("", "OPTION", "A MONTH", "WORKER-HOURS", "COLD", "P50", "P95", "P99", "COUNTED")
MONTH = 2
"""The column that only says something where somebody pays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A plan and what it was made from."""

    plan: Plan
    replay: Replay
    demand: Demand
    chosen: Choice | None
    notes: tuple[str, ...]
    written: bool
    provider: str


def document(told: Told) -> dict[str, Any]:
    """Return a plan as JSON values; times are milliseconds that a request waits longer."""
    trace = told.replay.trace
    frontier = told.plan.frontier
    return {
        "trace": {
            "requests": len(trace.arrivals),
            "duration_s": trace.duration_s,
            "span": span_text(trace),
            "busy_workers": list(told.demand.levels),
        },
        "choices": [_choice(each) | {"frontier": each in frontier} for each in told.plan.choices],
        "chosen": _choice(told.chosen) if told.chosen is not None else None,
        "written": told.written,
        "notes": list(told.notes),
    }


def _choice(choice: Choice) -> dict[str, Any]:
    p50, p95, p99 = choice.outcome.added_ms
    return {
        "name": choice.option.name,
        "kind": choice.option.kind,
        "month_usd": choice.month_usd,
        "worker_hours": choice.worker_hours,
        "cold": choice.outcome.cold,
        "cold_share": choice.outcome.cold_share,
        "added_ms": {"p50": p50, "p95": p95, "p99": p99, "mean": choice.outcome.mean_added_ms},
        "settings": dict(choice.option.settings),
        "basis": choice.option.basis,
    }


def lines(told: Told) -> Iterator[str]:
    """Yield a plan as a table, cheapest first, the frontier marked."""
    trace = told.replay.trace
    yield f"{bold(f'{len(trace.arrivals):,} requests')}, {span_text(trace)}"
    yield ""
    frontier = told.plan.frontier
    rows = [tuple(dim(title) for title in HEAD)]
    rows += [_row(told, choice, choice in frontier) for choice in told.plan.choices]
    if not told.plan.priced:
        rows = [row[:MONTH] + row[MONTH + 1 :] for row in rows]
    yield from columns(rows, right=frozenset(range(MONTH, MONTH + (6 if told.plan.priced else 5))))
    yield ""
    yield dim("● no other is cheaper and adds less at p99. P50 to P99: what a request waits longer.")
    if told.chosen is not None:
        yield f"The cheapest that meets it: {bold(told.chosen.option.name)}"
        yield from (f"  {line}" for line in _settings(told.chosen))
        if told.written:
            yield "Written into preheat.toml."
            yield paste(f"preheat deploy --provider {told.provider}")
    for text in told.notes:
        yield from note(text)


def _row(told: Told, choice: Choice, best: bool) -> tuple[str, ...]:
    name = choice.option.name
    return (
        click.style("●", fg="green") if best else " ",
        bold(name) if choice is told.chosen else name,
        dollars(choice.month_usd),
        f"{choice.worker_hours:,.1f}",
        f"{choice.outcome.cold_share:.2%}",
        *(human_ms(each) for each in choice.outcome.added_ms),
        dim(choice.option.basis),
    )


def _settings(choice: Choice) -> list[str]:
    given = [(key, str(value)) for key, value in choice.option.settings.items() if value is not None]
    return columns(given) if given else []
