"""What grouping by size does to throughput and waiting, in simulated time.

The model is a sentence transformer as measured on one core: 0.6 ms a batch and 9 us a padded token.
Run: `python -m tests.bench.batching`.
"""

from rich.console import Console
from rich.table import Table
from tests.fakes.batch_simulation import (
    Lengths,
    Load,
    Served,
    Transformer,
    sentence_lengths,
    simulate,
    uniform_lengths,
)

MODEL = Transformer()


def compare(table: Table, name: str, load: Load) -> Served:
    """Add a row; return what arrival order does."""
    plain = simulate(load, MODEL, grouped=False)
    grouped = simulate(load, MODEL, grouped=True)
    table.add_row(
        name,
        f"{plain.per_second:.0f}",
        f"{grouped.per_second / plain.per_second:.2f}",
        f"{plain.percentile_s(50) * 1000:.1f}",
        f"{grouped.percentile_s(50) / plain.percentile_s(50):.2f}",
        f"{plain.percentile_s(99) * 1000:.1f}",
        f"{grouped.percentile_s(99) / plain.percentile_s(99):.2f}",
        f"{plain.mean_batch:.1f} / {grouped.mean_batch:.1f}",
    )
    return plain


def show(title: str, lengths: Lengths) -> None:
    """Print one table: callers that wait for their answers, then arrivals that do not."""
    table = Table(title=title, title_justify="left")
    table.add_column("load")
    for column in ("requests/s", "x grouped", "p50 ms", "x grouped", "p99 ms", "x grouped", "batch"):
        table.add_column(column, justify="right")
    capacity = 0.0
    for callers in (1, 4, 8, 16, 32, 64, 128):
        plain = compare(table, f"callers: {callers}", Load(lengths, callers=callers))
        capacity = max(capacity, plain.per_second)
    for share in (0.3, 0.6, 0.8, 0.9):
        compare(table, f"arrivals: {share:.0%} of capacity", Load(lengths, rate=share * capacity))
    Console().print(table)


def main() -> None:
    """Print the tables."""
    show("Lengths uniform from 8 to 256 tokens", uniform_lengths)
    show("Lengths of sentences (log-normal, median 37, at most 256 tokens)", sentence_lengths)


if __name__ == "__main__":
    main()
