"""Reads prices.json: list prices in US dollars without free tiers, savings plans and taxes.

Pages of AWS could not be asked when the table was made: the figures are those of stored copies of the
named sources, read on the day that each figure names. A region without a figure is priced as us-east-1.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

HOME = "us-east-1"
"""The region that has every figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One figure: `usd` for one `unit` in `region`, from `source` (a URL), read on `read` (ISO 8601)."""

    usd: float
    unit: str
    region: str
    source: str
    read: str


class Prices:
    """The prices of one region."""

    def __init__(self, region: str | None = None) -> None:
        self.region = region

    def __contains__(self, name: str) -> bool:
        """Say whether there is such a figure, of whatever region."""
        return name in _figures()

    def __getitem__(self, name: str) -> Price:
        """Return the figure called `name`, of us-east-1 where the table has none for the region."""
        figure = _figures()[name]
        usd = figure["usd"]
        region = self.region if self.region is not None and self.region in usd else HOME
        return Price(
            usd=usd[region], unit=figure["unit"], region=region, source=figure["source"], read=figure["read"]
        )


def names() -> tuple[str, ...]:
    """Return the names of all figures."""
    return tuple(_figures())


@cache
def _figures() -> dict[str, Any]:
    document = json.loads(files(__package__).joinpath("prices.json").read_text(encoding="utf-8"))
    figures: dict[str, Any] = document["figures"]
    return figures
