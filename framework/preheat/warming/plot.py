"""The frontier as a picture: what each option costs against what it adds at p99. Writes one file."""

from pathlib import Path

from matplotlib.figure import Figure

from preheat.errors import PreheatError
from preheat.warming.planner import Choice, Plan

COLOURS = {
    "nothing": "#7f7f7f",
    "pings": "#bcbd22",
    "snapshot": "#17becf",
    "kept": "#1f77b4",
    "scheduled": "#9467bd",
    "pool": "#2ca02c",
    "histogram": "#d62728",
}
LEAST_MS = 1.0
"""Where zero is drawn on the logarithmic axis."""


def draw(plan: Plan, file: Path, *, title: str, p99_ms: float | None = None) -> None:
    """Draw every choice, the frontier as a line and the aim, as the suffix of `file` says (svg, png, pdf)."""
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.add_subplot()
    for kind in dict.fromkeys(choice.option.kind for choice in plan.choices):
        of_kind = [choice for choice in plan.choices if choice.option.kind == kind]
        axes.scatter(*_points(plan, of_kind), color=COLOURS[kind], label=kind, zorder=3)
    axes.plot(*_points(plan, list(plan.frontier)), color="black", linewidth=1, label="frontier", zorder=2)
    for choice in plan.frontier:
        place = (plan.weight(choice), max(LEAST_MS, choice.p99_ms))
        axes.annotate(choice.option.name, place, xytext=(5, 5), textcoords="offset points", fontsize=8)
    if p99_ms is not None:
        axes.axhline(max(LEAST_MS, p99_ms), color="#d62728", linestyle="--", linewidth=1, label="aim")
    axes.set_yscale("log")
    axes.set(xlabel="US dollars a month" if plan.priced else "worker-hours a month", ylabel="ms added at p99")
    axes.set_title(title)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    try:
        figure.savefig(file)
    except (OSError, ValueError) as error:
        raise PreheatError(f"{file} cannot be drawn: {error}", hint="--plot warm.svg") from error


def _points(plan: Plan, choices: list[Choice]) -> tuple[list[float], list[float]]:
    return [plan.weight(each) for each in choices], [max(LEAST_MS, each.p99_ms) for each in choices]
