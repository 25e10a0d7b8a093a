from preheat_providers._aws.hours import ScheduledHours
from preheat_providers._aws.prices.hours import average_least

MORNING = ScheduledHours(cron="0 8 * * 1-5", min=2, max=4)
EVENING = ScheduledHours(cron="0 20 * * 1-5", min=0, max=4)


def test_without_hours_it_is_what_is_kept_otherwise() -> None:
    assert average_least((), otherwise=3) == 3


def test_the_least_counts_from_one_entry_to_the_next() -> None:
    assert abs(average_least((MORNING, EVENING), otherwise=9) - 2 * 5 * 12 / (7 * 24)) < 1e-9


def test_hours_are_those_of_their_own_zone_the_year_round() -> None:
    berlin = ScheduledHours(cron="0 8 * * 1-5", timezone="Europe/Berlin", min=2, max=4)
    night = ScheduledHours(cron="0 20 * * 1-5", timezone="Europe/Berlin", min=0, max=4)
    assert abs(average_least((berlin, night), otherwise=0) - 2 * 5 * 12 / (7 * 24)) < 0.01
