"""Medians and ratios as a table: what every benchmark prints."""

import statistics
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table


def ratios(rounds: Mapping[str, Sequence[float]], *, baseline: str) -> dict[str, float]:
    """Return, per name, the median over rounds of its figure divided by the baseline's of the same round."""
    return {
        name: statistics.median(
            figure / reference for figure, reference in zip(figures, rounds[baseline], strict=True)
        )
        for name, figures in rounds.items()
    }


def show(
    title: str,
    rounds: Mapping[str, Sequence[float]],
    *,
    baseline: str,
    unit: str,
    aims: Mapping[str, str] | None = None,
) -> None:
    """Print median, minimum, maximum and ratio to `baseline` of every name; `aims` are shown beside them."""
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    for column in (f"median {unit}", "min", "max", "ratio", "aim"):
        table.add_column(column, justify="right")
    relative = ratios(rounds, baseline=baseline)
    for name, figures in rounds.items():
        table.add_row(
            name,
            f"{statistics.median(figures):.1f}",
            f"{min(figures):.1f}",
            f"{max(figures):.1f}",
            f"{relative[name]:.3f}",
            (aims or {}).get(name, ""),
        )
    Console().print(table)
