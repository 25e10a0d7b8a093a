"""How much scheduled hours keep ready on average. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from preheat_providers._aws.hours import ScheduledHours

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 364
"""Whole weeks, so that each day of the week counts the same."""


def average_least(entries: Sequence[ScheduledHours], *, otherwise: float) -> float:
    """Return the mean over a year of the least that is kept ready; until a first entry, the last one's."""
    end = START + timedelta(days=DAYS)
    changes = sorted((when, each.min) for each in entries for when in _times(each, end))
    if not changes:
        return otherwise
    since, ready, total = START, changes[-1][1], 0.0
    for when, least in changes:
        total += ready * (when - since).total_seconds()
        since, ready = when, least
    total += ready * (end - since).total_seconds()
    return total / (end - START).total_seconds()


def _times(hours: ScheduledHours, end: datetime) -> list[datetime]:
    """Return when `hours` begin before `end`."""
    from cronsim import CronSim  # read late, like the rest that only some projects need

    times = []
    for when in CronSim(hours.cron, START.astimezone(ZoneInfo(hours.timezone))):
        if when >= end:
            break
        times.append(when.astimezone(UTC))
    return times
