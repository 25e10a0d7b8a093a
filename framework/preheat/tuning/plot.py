"""Outcomes as a picture: cold start against steady state, the size of a mark is that of the model.

Needs matplotlib, which `preheat[measure]` brings.
"""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from preheat.tuning.choice import Outcome, frontier

INK, CHOSEN, OTHER, REJECTED = "#1f2328", "#d1480f", "#6e7781", "#d0d7de"


def plot(outcomes: Sequence[Outcome], chosen: Outcome, file: Path, *, title: str) -> None:
    """Draw `outcomes` into `file`, whose suffix says the format; the Pareto front is joined by a line."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots()
    front = sorted(frontier(outcomes), key=lambda outcome: outcome.cold_ms)
    largest = max(outcome.bytes for outcome in outcomes)
    axes.plot(
        [outcome.cold_ms for outcome in front],
        [outcome.settled.steady_ms for outcome in front],
        color=OTHER,
        linewidth=1,
        linestyle="dashed",
        zorder=1,
    )
    for outcome in outcomes:
        place = (outcome.cold_ms, outcome.settled.steady_ms)
        colour = CHOSEN if outcome is chosen else OTHER if outcome.usable else REJECTED
        area = 40 + 260 * outcome.bytes / largest
        axes.scatter(*place, s=area, color=colour, edgecolors="white", linewidths=1, zorder=2)
        weight = "bold" if outcome is chosen else "normal"
        axes.annotate(
            outcome.variant.name,
            place,
            xytext=(8, 4),
            textcoords="offset points",
            fontsize=8,
            fontweight=weight,
            color=INK if outcome.usable else OTHER,
        )
    axes.set(title=title, xlabel="cold: session and first answer, ms", ylabel="steady: one answer, ms")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file)
