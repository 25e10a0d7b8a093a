import click
import pytest

from preheat.cli.text import columns, dollars, human_bytes, human_ms


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (123_456, "123 kB"),
        (999_999, "1.0 MB"),
        (250_000_000, "250 MB"),
        (5_000_000_000_000, "5000.0 GB"),
    ],
)
def test_bytes_are_in_powers_of_1000(count: int, text: str) -> None:
    assert human_bytes(count) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(None, "-"), (4.25, "4.2 ms"), (840.4, "840 ms"), (1300.0, "1.3 s")]
)
def test_latencies_have_two_or_three_digits(ms: float | None, text: str) -> None:
    assert human_ms(ms) == text


def test_colours_do_not_count_as_width() -> None:
    red = click.style("a", fg="red")
    lines = columns([(red, "1", "x"), ("long", "20", "y")], right=frozenset({1}))
    assert [click.unstyle(line) for line in lines] == ["a      1  x", "long  20  y"]


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        (0.0, "$0"),
        (13.66, "$13.66"),
        (1234.5, "$1,234.50"),
        (0.3, "$0.30"),
        (0.01416, "$0.0142"),
        (0.00036, "$0.00036"),
        (0.999, "$0.999"),
        (0.9999, "$1.00"),
    ],
)
def test_a_price_has_three_digits_that_count(usd: float, shown: str) -> None:
    assert dollars(usd) == shown
