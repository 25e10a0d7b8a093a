"""A waterfall of a start as SVG, which browsers, editors and code hosts draw. Pure.

Written out as text: matplotlib and what it needs weigh some 100 MB, and all there is to draw are bars.
"""

from collections.abc import Iterator
from html import escape

from preheat.coldstart.model import Phase, Result

WIDTH, LABEL, ROW, MARGIN = 860, 230, 24, 16
BAR = 14
COLOURS = {"interpreter": "#8a8f98", "preheat": "#8a8f98", "opening": "#8a8f98"}
PHASE_COLOUR, PART_COLOUR, ANSWER_COLOUR = "#3b82f6", "#93c5fd", "#22a06b"
TICKS = 5


def svg(result: Result) -> str:
    """Return the picture: a bar for each phase, on one axis in ms."""
    end_ms = max(phase.start_ms + phase.ms for phase in result.phases)
    height = MARGIN * 2 + ROW * (len(result.phases) + 3)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(MARGIN, MARGIN + 12, _title(result), bold=True),
        *_axis(end_ms, height),
        *(line for row, phase in enumerate(result.phases) for line in _bar(phase, row, end_ms)),
        _text(MARGIN, height - MARGIN, _machine(result)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _title(result: Result) -> str:
    head = result.figures[0]
    return (
        f"{result.name} on {result.provider}: {head.total_ms.p50:.0f} ms to the first answer "
        f"(p95 {head.total_ms.p95:.0f} ms), {head.condition}"
    )


def _machine(result: Result) -> str:
    machine = result.machine
    return f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, medians of {result.runs}"


def _axis(end_ms: float, height: int) -> Iterator[str]:
    bottom = height - MARGIN - ROW
    for tick in range(TICKS + 1):
        ms = end_ms * tick / TICKS
        x = _x(ms, end_ms)
        yield f'<line x1="{x:.1f}" y1="{MARGIN + ROW}" x2="{x:.1f}" y2="{bottom - 8}" stroke="#e5e7eb"/>'
        yield _text(x, bottom + 6, f"{ms:.0f} ms", anchor="middle")


def _bar(phase: Phase, row: int, end_ms: float) -> Iterator[str]:
    top = MARGIN + ROW * (row + 1) + 4
    x, right = _x(phase.start_ms, end_ms), _x(phase.start_ms + phase.ms, end_ms)
    indent = 14 if phase.within else 0
    yield _text(MARGIN + indent, top + 11, phase.name)
    yield (
        f'<rect x="{x:.1f}" y="{top}" width="{max(1.0, right - x):.1f}" height="{BAR}" rx="2" '
        f'fill="{_colour(phase)}"><title>{escape(phase.name)}: {phase.ms:.1f} ms</title></rect>'
    )
    late = right > WIDTH - 80
    yield _text(x - 6 if late else right + 6, top + 11, f"{phase.ms:.1f}", anchor="end" if late else "start")


def _colour(phase: Phase) -> str:
    if phase.within:
        return PART_COLOUR
    return COLOURS.get(phase.name, ANSWER_COLOUR if phase.name.endswith("answer") else PHASE_COLOUR)


def _x(ms: float, end_ms: float) -> float:
    return LABEL + (WIDTH - LABEL - MARGIN - 20) * ms / end_ms


def _text(x: float, y: float, text: str, *, bold: bool = False, anchor: str = "start") -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#1f2328"{weight}>{escape(text)}</text>'
    )
