"""How numbers, columns and tones look to a reader. Touches nothing."""

import math
from collections.abc import Sequence

import click

UNITS = ("B", "kB", "MB", "GB")


def bold(text: str) -> str:
    """Return `text` in bold."""
    return click.style(text, bold=True)


def dim(text: str) -> str:
    """Return `text` in a quiet tone."""
    return click.style(text, dim=True)


def paste(command: str) -> str:
    """Return a line that the reader may paste, set apart from the text."""
    return "\n".join("  " + click.style(line, fg="cyan") for line in command.splitlines())


def human_bytes(count: int) -> str:
    """Return a size in powers of 1000, as platforms state their limits: `12.3 MB`."""
    value = float(count)
    for unit in UNITS[:-1]:
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} {UNITS[-1]}"


def dollars(usd: float) -> str:
    """Return a price: `$13.66`, `$0.30`, `$0.0142`, `$0`; small ones by three digits that count."""
    if not usd:
        return "$0"
    if usd >= 1:
        return f"${usd:,.2f}"
    digits = 2 - math.floor(math.log10(usd))
    whole, _, fraction = f"{usd:.{digits}f}".partition(".")
    return f"${whole}.{fraction.rstrip('0').ljust(2, '0')}"


def human_ms(milliseconds: float | None) -> str:
    """Return a latency: `4.2 ms`, `840 ms`, `1.3 s`, or `-` while none was seen."""
    if milliseconds is None:
        return "-"
    if milliseconds < 10:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def columns(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> list[str]:
    """Return `rows` as aligned lines, two spaces between columns; those in `right` are aligned right.

    Cells may carry colours: their escape codes do not count.
    """
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            _pad(cell, width, index in right)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _width(cell: str) -> int:
    return len(click.unstyle(cell))


def _pad(cell: str, width: int, right: bool) -> str:
    space = " " * (width - _width(cell))
    return space + cell if right else cell + space
