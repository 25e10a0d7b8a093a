"""Five-field cron in the words of AWS. Pure.

AWS counts the days of the week from 1, Sunday; takes only one of the two fields for days, `?` being
the other; and has no `*/2` that begins at the start of a range. So the fields are read into the
moments that they stand for, and those are written anew.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html, read on 2026-11-21
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

LAST, LAST_WEEKDAY = -1000, -1001
"""How cronsim says `L` and `LW`."""


class Inexpressible(ValueError):
    """AWS has no cron expression for this; the message says why, to follow the expression in a sentence."""


def aws_cron(cron: str) -> str:
    """Return `cron`, which cron can read, as AWS takes it: `cron(0 3 ? * 2-6 *)`. Raises Inexpressible."""
    from cronsim import CronSim  # read late, like the rest that only some projects need

    read = CronSim(cron, datetime(2024, 1, 1, tzinfo=UTC))
    day, weekday = _day_fields(_days(read.days), _weekdays(read.weekdays), both=read.day_and)
    minute, hour = _moments(read.minutes, 0, 59), _moments(read.hours, 0, 23)
    month = _moments(read.months, 1, 12)
    return f"cron({minute} {hour} {day} {month} {weekday} *)"


def inexpressible(cron: str) -> str | None:
    """Return why AWS has no words for `cron`, which cron can read, to follow it in a sentence."""
    try:
        aws_cron(cron)
    except Inexpressible as error:
        return str(error)
    return None


def _day_fields(days: str, weekdays: str, *, both: bool) -> tuple[str, str]:
    """Return the two fields for days; `both` says whether a day must fit both of them, or one."""
    if "*" in (days, weekdays):
        if not both or days == weekdays:
            return "*", "?"
        return (days, "?") if weekdays == "*" else ("?", weekdays)
    if both:
        reason = "which wants both a day of the month and a day of the week, and AWS takes one of them"
    else:
        reason = (
            "which runs on days of the month and on days of the week, and AWS takes one of them: "
            "make two triggers of it"
        )
    raise Inexpressible(reason)


def _days(days: set[int]) -> str:
    if days in ({LAST}, {LAST_WEEKDAY}):
        return "L" if days == {LAST} else "LW"
    if days & {LAST, LAST_WEEKDAY}:
        raise Inexpressible("which lists L beside other days of the month, and AWS takes it alone")
    return _moments(days, 1, 31)


def _weekdays(weekdays: set[int | tuple[int, int]]) -> str:
    plain = {day % 7 + 1 for day in weekdays if isinstance(day, int)}
    special = [each for each in weekdays if not isinstance(each, int)]
    if special and (plain or len(special) > 1):
        raise Inexpressible("which lists a weekday with # or L beside others, and AWS takes it alone")
    for day, which in special:
        return f"{day % 7 + 1}L" if which == LAST else f"{day % 7 + 1}#{which}"
    return _moments(plain, 1, 7)


def _moments(values: set[int], least: int, most: int) -> str:
    ordered = sorted(values)
    if len(ordered) == most - least + 1:
        return "*"
    steps = {after - before for before, after in pairwise(ordered)}
    if len(ordered) > 2 and len(steps) == 1 and ordered[-1] + min(steps) > most and min(steps) > 1:
        return f"{ordered[0]}/{min(steps)}"
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in _runs(ordered))


def _runs(ordered: list[int]) -> Iterator[tuple[int, int]]:
    first = ordered[0]
    for before, after in pairwise(ordered):
        if after != before + 1:
            yield first, before
            first = after
    yield first, ordered[-1]
