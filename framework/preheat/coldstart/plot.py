"""A waterfall of a start as a picture: a bar for each phase, on one axis in ms. Writes one file.

Needs matplotlib, which `preheat[measure]` brings.
"""

from pathlib import Path

from matplotlib.figure import Figure

from preheat.coldstart.model import Phase, Result
from preheat.coldstart.phases import INTERPRETER, OPENING, RUNTIME
from preheat.errors import PreheatError

QUIET, PHASE, PART, ANSWER, INK = "#8a8f98", "#3b82f6", "#93c5fd", "#22a06b", "#1f2328"
ROW_INCHES, FRAME_INCHES = 0.32, 1.4


def draw(result: Result, file: Path) -> None:
    """Draw the phases of `result` as the suffix of `file` says (svg, png, pdf). Raises PreheatError."""
    try:
        figure_of(result).savefig(file, dpi=150)
    except OSError as error:
        raise PreheatError(f"{file} cannot be written: {error.strerror}.") from error


def figure_of(result: Result) -> Figure:
    """Return the picture."""
    phases = result.phases
    figure = Figure(figsize=(9, FRAME_INCHES + ROW_INCHES * len(phases)), layout="constrained")
    axes = figure.add_subplot()
    rows = range(len(phases))
    bars = axes.barh(
        rows,
        [phase.ms for phase in phases],
        left=[phase.start_ms for phase in phases],
        color=[_colour(phase) for phase in phases],
        height=0.62,
    )
    axes.bar_label(bars, [f"{phase.ms:.1f}" for phase in phases], padding=4, fontsize=8, color=INK)
    axes.set_yticks(rows, [f"   {phase.name}" if phase.within else phase.name for phase in phases])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.06 * max(phase.start_ms + phase.ms for phase in phases))
    axes.set_xlabel("ms since the process was started")
    axes.set_title(_title(result), loc="left", fontsize=10, color=INK)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0, labelsize=9)
    axes.grid(visible=True, axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    figure.supxlabel(_machine(result), fontsize=8, color=QUIET)
    return figure


def _title(result: Result) -> str:
    head = result.figures[0]
    return (
        f"{result.name} on {result.provider}: {head.total_ms.p50:.0f} ms to the first answer "
        f"(p95 {head.total_ms.p95:.0f} ms), {head.condition}"
    )


def _machine(result: Result) -> str:
    machine = result.machine
    return f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, medians of {result.runs}"


def _colour(phase: Phase) -> str:
    if phase.within:
        return PART
    if phase.name in (INTERPRETER, RUNTIME, OPENING):
        return QUIET
    return ANSWER if phase.name.endswith("answer") else PHASE
