"""Every option of a provider, replayed and priced, and which are worth having. Touches nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from preheat.errors import PreheatError
from preheat.provider.warm_options import Demand, LeastHours, Rates, WarmOption
from preheat.warming.simulate import Outcome, Replay
from preheat.warming.trace.model import Floats, Trace

MONTH_S = 730 * 3600.0
"""As the costs of `preheat plan` have it."""
P99 = 2

BUSY_SHARES = (50, 90, 99, 100)
"""The percentiles of busy workers that are worth keeping, beside one worker."""
DAYS_FOR_HOURS = 2
"""From how many days on hours of the day are told apart."""
QUIET_SHARE = 0.2
"""An hour of the day is quiet with less than this share of the requests of a mean one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One option, what came of it, and what that costs in a month of such traffic, in US dollars."""

    option: WarmOption
    outcome: Outcome
    month_usd: float

    @property
    def worker_hours(self) -> float:
        """How many hours workers exist in a month, summed over workers."""
        return self.outcome.totals.worker_s * MONTH_S / self.outcome.duration_s / 3600

    @property
    def p99_ms(self) -> float:
        """What at most one request in a hundred waits longer than."""
        return self.outcome.added_ms[P99]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All choices, cheapest first; `frontier` are those that no other beats in both price and p99."""

    choices: tuple[Choice, ...]
    priced: bool

    def weight(self, choice: Choice) -> float:
        """Return what a choice takes: dollars, or worker-hours where nothing is paid."""
        return choice.month_usd if self.priced else choice.worker_hours

    @property
    def frontier(self) -> tuple[Choice, ...]:
        """The choices that no other beats in both price and p99, cheapest first."""
        kept: list[Choice] = []
        for choice in self.choices:
            if not kept or choice.p99_ms < kept[-1].p99_ms:
                kept.append(choice)
        return tuple(kept)

    def cheapest(self, p99_ms: float, *, busiest: int) -> Choice:
        """Return the cheapest choice whose p99 is at most `p99_ms`. Raises PreheatError where none is.

        `busiest` is how many requests run at once at most.
        """
        for choice in self.choices:
            if choice.p99_ms <= p99_ms:
                return choice
        best = min(self.choices, key=lambda each: each.p99_ms)
        nearest = f"{best.option.name} comes nearest with {best.p99_ms:.0f} ms"
        room = best.option.most * best.option.concurrency
        why = (
            f": {busiest} requests ran at once, and {room} are the most that it takes"
            if busiest > room
            else ""
        )
        raise PreheatError(
            f"Nothing here adds {p99_ms:g} ms or less at p99; {nearest}{why}.",
            hint=f"--p99-ms {np.ceil(best.p99_ms):.0f}  # or a faster start: preheat tune",
        )


def plan(
    options: Iterable[WarmOption], replay: Replay, *, said: Callable[[str], None] = lambda _: None
) -> Plan:
    """Replay every option; `said` hears which one."""
    choices = []
    for option in options:
        said(option.name)
        outcome = replay.run(option)
        choices.append(Choice(option=option, outcome=outcome, month_usd=month_usd(option.rates, outcome)))
    priced = any(choice.month_usd > 0 for choice in choices)
    found = Plan(choices=tuple(choices), priced=priced)
    ordered = sorted(choices, key=lambda each: (found.weight(each), each.p99_ms))
    return Plan(choices=tuple(ordered), priced=priced)


def month_usd(rates: Rates, outcome: Outcome) -> float:
    """Return what a month of such traffic costs."""
    totals = outcome.totals
    seconds = (
        rates.worker_s * totals.worker_s
        + rates.busy_s * (totals.busy_s - totals.least_busy_s)
        + rates.start_s * totals.start_s
        + rates.least_s * totals.least_s
        + rates.least_busy_s * totals.least_busy_s
    )
    each = rates.request * outcome.requests + rates.restore * totals.starts + rates.ping * outcome.pings
    return rates.month + (seconds + each) * MONTH_S / outcome.duration_s


def demand_of(trace: Trace, services_s: Floats) -> Demand:
    """Return how many workers the trace keeps busy at a time, and in which hours."""
    busy = _busy_at_arrivals(trace, services_s)
    levels = {1, *(int(each) for each in np.percentile(busy, BUSY_SHARES, method="higher"))}
    ordered = tuple(sorted(levels))
    return Demand(levels=ordered, hours=_hours(trace, ordered))


def _busy_at_arrivals(trace: Trace, services_s: Floats) -> Floats:
    """Return how many requests run right after each arrival, if none ever waits."""
    ends = np.sort(trace.arrivals + services_s)
    busy: Floats = np.arange(1.0, len(ends) + 1) - np.searchsorted(ends, trace.arrivals, side="right")
    return busy


def _hours(trace: Trace, levels: Sequence[int]) -> tuple[LeastHours, ...]:
    """Return when the one stretch of busy hours of the day begins and ends, in UTC, if there is one."""
    if trace.duration_s < DAYS_FOR_HOURS * 86400:
        return ()
    hour = ((trace.start + trace.arrivals) % 86400 // 3600).astype(np.int64)
    counts = np.bincount(hour, minlength=24)
    busy = counts >= QUIET_SHARE * counts.mean()
    begins = np.flatnonzero(busy & ~np.roll(busy, 1))
    if len(begins) != 1:
        return ()
    ends = np.flatnonzero(~busy & np.roll(busy, 1))
    most = levels[-2] if len(levels) > 1 else levels[-1]
    return (
        LeastHours(cron=f"0 {begins[0]} * * *", timezone="UTC", least=most),
        LeastHours(cron=f"0 {ends[0]} * * *", timezone="UTC", least=0),
    )


def span_text(trace: Trace) -> str:
    """Return `2026-01-05 10:00 to 2026-01-12 09:58 UTC`."""
    begin, end = (
        datetime.fromtimestamp(trace.start + each, UTC) for each in (0.0, float(trace.arrivals[-1]))
    )
    return f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
