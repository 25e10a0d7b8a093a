"""Adds up amounts at their prices into one cost that says what was counted. Pure."""

from dataclasses import dataclass, field
from typing import Literal

from preheat.plan.model import Cost
from preheat_providers._aws.prices.table import HOME, Prices


@dataclass
class Bill:
    """A sum at the prices of one region."""

    prices: Prices
    usd: float = 0.0
    lines: list[str] = field(default_factory=list)
    regions: set[str] = field(default_factory=set)

    def add(self, amount: float, figure: str, text: str) -> "Bill":
        """Add `amount` units of `figure`, which `text` describes."""
        price = self.prices[figure]
        self.usd += amount * price.usd
        self.lines.append(f"{text} at ${plain(price.usd)}")
        self.regions.add(price.region)
        return self

    def cost(
        self,
        name: str,
        unit: Literal["month", "hour", "time", "1000 requests"],
        *,
        chosen: bool = True,
        note: str = "",
    ) -> Cost:
        """Return the sum as a cost."""
        basis = "; ".join(filter(None, [" + ".join(self.lines), note, self._elsewhere()]))
        return Cost(name=name, usd=self.usd, unit=unit, basis=basis, chosen=chosen)

    def _elsewhere(self) -> str:
        if self.regions == {self.prices.region}:
            return ""
        return f"{'partly ' if self.prices.region in self.regions else ''}priced as {HOME}"


def plain(usd: float) -> str:
    """Return a price without an exponent, to ten places at most."""
    return f"{usd:.10f}".rstrip("0").rstrip(".")
