from datetime import UTC, datetime

from preheat.provider.warm_options import LeastHours
from preheat.warming.hours import changes, least_at, next_change

WORKDAYS = (
    LeastHours(cron="0 8 * * 1-5", timezone="Europe/Berlin", least=3),
    LeastHours(cron="0 18 * * 1-5", timezone="Europe/Berlin", least=0),
)
MONDAY_NOON = datetime(2026, 1, 5, 11, tzinfo=UTC)


def test_the_hours_that_began_last_count() -> None:
    assert least_at(WORKDAYS, MONDAY_NOON) == 3
    assert least_at(WORKDAYS, datetime(2026, 1, 5, 6, 59, tzinfo=UTC)) == 0
    assert least_at(WORKDAYS, datetime(2026, 1, 5, 7, 1, tzinfo=UTC)) == 3
    assert least_at(WORKDAYS, datetime(2026, 1, 10, 12, tzinfo=UTC)) == 0


def test_the_next_change_is_the_begin_of_the_next_hours() -> None:
    assert next_change(WORKDAYS, MONDAY_NOON) == datetime(2026, 1, 5, 17, tzinfo=UTC)


def test_changes_come_in_order_and_within_the_time() -> None:
    found = changes(WORKDAYS, MONDAY_NOON, datetime(2026, 1, 6, 12, tzinfo=UTC))
    assert found == [(datetime(2026, 1, 5, 17, tzinfo=UTC), 0), (datetime(2026, 1, 6, 7, tzinfo=UTC), 3)]
