"""When AWS fires for a cron expression, after its user guide and not after our own converter."""

import calendar
from datetime import datetime, timedelta


def fires(expression: str, moment: datetime) -> bool:
    """Whether `cron(...)` names this minute."""
    minute, hour, day, month, weekday, year = expression.removeprefix("cron(").removesuffix(")").split()
    assert (day == "?") != (weekday == "?"), "one of the two fields for days must be ?"
    assert year == "*"
    return (
        _within(minute, moment.minute, 59)
        and _within(hour, moment.hour, 23)
        and _within(month, moment.month, 12)
        and (_on_day(day, moment) if weekday == "?" else _on_weekday(weekday, moment))
    )


def _within(field: str, value: int, most: int) -> bool:
    for item in field.split(","):
        start, _, step = item.partition("/")
        first, _, last = start.partition("-")
        if item == "*":
            return True
        if step and value in range(int(first), most + 1, int(step)):
            return True
        if not step and int(first) <= value <= int(last or first):
            return True
    return False


def _on_day(field: str, moment: datetime) -> bool:
    last = calendar.monthrange(moment.year, moment.month)[1]
    if field == "L":
        return moment.day == last
    if field == "LW":
        end = moment.replace(day=last)
        while end.weekday() >= calendar.SATURDAY:
            end -= timedelta(days=1)
        return moment.day == end.day
    return _within(field, moment.day, 31)


def _on_weekday(field: str, moment: datetime) -> bool:
    number = (moment.weekday() + 1) % 7 + 1
    if field.endswith("L"):
        last = calendar.monthrange(moment.year, moment.month)[1]
        return number == int(field[0]) and moment.day > last - 7
    if "#" in field:
        day, _, which = field.partition("#")
        return number == int(day) and (moment.day - 1) // 7 + 1 == int(which)
    return _within(field, number, 7)
