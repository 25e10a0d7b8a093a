from typing import Any

import pytest

from preheat_providers.aws_lambda.hours import average_ready
from preheat_providers.aws_lambda.options import read_options


def ready(*hours: dict[str, Any], provisioned: int = 1) -> float:
    table = {"warm": "provisioned", "provisioned": provisioned}
    return average_ready(read_options(table | ({"provisioned_schedule": list(hours)} if hours else {})))


def test_without_a_schedule_the_fixed_number_is_ready() -> None:
    assert ready(provisioned=3) == 3


def test_each_entry_counts_from_its_time_to_the_next_one() -> None:
    # three from 8 to 20 on five days, and one in the other 108 hours of the week
    day = {"cron": "0 8 * * 1-5", "min": 3, "max": 6}
    night = {"cron": "0 20 * * 1-5", "min": 1, "max": 2}
    assert ready(day, night) == pytest.approx((3 * 60 + 1 * 108) / 168, rel=0.002)


def test_before_the_first_entry_the_last_one_of_a_period_counts() -> None:
    # from noon to midnight nothing, from midnight to noon four: the year begins within the four
    assert ready(
        {"cron": "0 0 * * *", "min": 4, "max": 4}, {"cron": "0 12 * * *", "min": 0, "max": 0}
    ) == pytest.approx(2, abs=0.01)
    assert ready({"cron": "0 0 1 7 *", "min": 5, "max": 5}) == 5


def test_times_are_those_of_their_zone() -> None:
    # 9:00 in Tokyo is 0:00 UTC: two are ready for six hours of each day
    hours = (
        {"cron": "0 9 * * *", "timezone": "Asia/Tokyo", "min": 2, "max": 2},
        {"cron": "0 6 * * *", "timezone": "UTC", "min": 0, "max": 0},
    )
    assert ready(*hours) == pytest.approx(2 * 6 / 24, abs=0.01)
