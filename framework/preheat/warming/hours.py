"""What hours keep, at a moment and over a time. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

from preheat.provider.warm_options import LeastHours


def least_at(hours: Sequence[LeastHours], now: datetime) -> int:
    """Return what the last of `hours` to have begun before `now` keeps; of equals, the last one named."""
    begun = [(_next(each, now, back=True), number) for number, each in enumerate(hours)]
    return hours[max(begun)[1]].least


def next_change(hours: Sequence[LeastHours], now: datetime) -> datetime:
    """Return when the next of `hours` begins."""
    return min(_next(each, now) for each in hours)


def changes(hours: Sequence[LeastHours], begin: datetime, end: datetime) -> list[tuple[datetime, int]]:
    """Return every begin between the two with what is kept from then on, in order."""
    from cronsim import CronSim

    found = []
    for each in hours:
        times = CronSim(each.cron, begin.astimezone(ZoneInfo(each.timezone)))
        found += [(when.astimezone(UTC), each.least) for when in takewhile(lambda when: when < end, times)]
    return sorted(found, key=lambda change: change[0])


def _next(hours: LeastHours, now: datetime, *, back: bool = False) -> datetime:
    from cronsim import CronSim  # read late, like the rest that only some projects need

    found: datetime = next(CronSim(hours.cron, now.astimezone(ZoneInfo(hours.timezone)), reverse=back))
    return found.astimezone(UTC)
