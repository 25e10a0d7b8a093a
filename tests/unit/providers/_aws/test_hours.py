from typing import Any

import pytest
from jsonschema import Draft202012Validator

from preheat.findings import Finding
from preheat_providers._aws.hours import ScheduledHours, hours_findings, hours_schema


def find(key: str, message: str, fix: str) -> Finding:
    return Finding(key=key, message=message, fix=fix)


@pytest.mark.parametrize(
    ("entry", "valid"),
    [
        ({"cron": "0 8 * * *", "min": 0, "max": 1}, True),
        ({"cron": "0 8 * * *", "timezone": "Europe/Berlin", "min": 0, "max": 1}, True),
        ({"cron": "0 8 * * *", "min": 1}, False),
        ({"cron": "0 8 * * *", "min": -1, "max": 1}, False),
        ({"cron": "0 8 * * *", "min": 0, "max": 1, "days": 3}, False),
    ],
)
def test_an_entry_has_a_time_and_both_bounds(entry: dict[str, Any], valid: bool) -> None:
    assert Draft202012Validator(hours_schema("x")).is_valid([entry]) is valid


def test_hours_are_in_utc_unless_they_say_otherwise() -> None:
    assert ScheduledHours(cron="0 8 * * *", min=0, max=1).timezone == "UTC"


@pytest.mark.parametrize(
    ("cron", "timezone", "said"),
    [("61 * * * *", "UTC", "61"), ("0 0 1 * 1", "UTC", "0 0 1 * 1"), ("0 8 * * *", "Mars", "Mars")],
)
def test_a_time_that_there_is_not_is_found(cron: str, timezone: str, said: str) -> None:
    (finding,) = hours_findings("k", ScheduledHours(cron=cron, timezone=timezone, min=0, max=1), find)
    assert finding.key == "k"
    assert said in finding.message


def test_a_time_that_there_is_has_no_finding() -> None:
    hours = ScheduledHours(cron="0 8 * * 1-5", timezone="Europe/Berlin", min=0, max=1)
    assert list(hours_findings("k", hours, find)) == []
