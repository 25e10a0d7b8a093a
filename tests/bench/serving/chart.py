"""Throughput as an SVG: a panel for each scenario and number of connections, a bar for each contender."""

from collections.abc import Sequence
from html import escape

from tests.bench.serving.figures import Record, median
from tests.bench.serving.report import OURS_NAME, TITLES, title_of

PANEL_WIDTH, LABEL_WIDTH, VALUE_WIDTH = 640, 250, 70
BAR, GAP, HEAD, MARGIN = 18, 6, 44, 16
OURS_COLOUR, OTHER_COLOUR = "#d9480f", "#868e96"
Bar = tuple[str, float, bool]
"""A label, a figure, and whether it is ours."""


def svg(record: Record) -> str:
    """Return the picture."""
    panels = [
        (f"{TITLES[scenario]}: requests/s with {connections} under way", _bars(record, scenario, connections))
        for scenario in TITLES
        for connections in record.connections(scenario)
    ]
    top = MARGIN
    drawn = []
    for title, bars in panels:
        drawn.append(_panel(title, bars, top))
        top += HEAD + len(bars) * (BAR + GAP) + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{PANEL_WIDTH + 2 * MARGIN}" height="{top}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


def _bars(record: Record, scenario: str, connections: int) -> Sequence[Bar]:
    found = []
    for name in record.contenders(scenario):
        rps = median(record.series(scenario, name, connections))
        if rps is not None:
            found.append((title_of(name, scenario), rps, name.startswith(OURS_NAME)))
    return sorted(found, key=lambda bar: -bar[1])


def _panel(title: str, bars: Sequence[Bar], top: int) -> str:
    lines = [f'<text x="{MARGIN}" y="{top + 22}" font-size="14" font-weight="bold">{escape(title)}</text>']
    longest = max(value for _, value, _ in bars)
    room = PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH
    for number, (label, value, ours) in enumerate(bars):
        y = top + HEAD + number * (BAR + GAP)
        left, width = MARGIN + LABEL_WIDTH, max(1.0, room * value / longest)
        colour = OURS_COLOUR if ours else OTHER_COLOUR
        weight = "bold" if ours else "normal"
        base = y + BAR - 5
        lines += [
            f'<text x="{left - 8}" y="{base}" text-anchor="end" font-weight="{weight}">'
            f"{escape(label)}</text>",
            f'<rect x="{left}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>',
            f'<text x="{left + width + 6:.1f}" y="{base}">{value:,.0f}</text>',
        ]
    return "\n".join(lines)
