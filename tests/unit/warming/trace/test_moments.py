from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from preheat.warming.trace.moments import Moments

MOMENT = datetime(2026, 11, 21, 10, 0, 0, 500000, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T10:00:00.5Z",
        "2026-11-21 10:00:00.500",
        "2026-11-21 10:00:00.5000000",
        "2026-11-21T11:00:00.500+01:00",
        "2026-11-21 10:00:00.500 UTC",
        str(MOMENT),
        f"{MOMENT * 1e3:.0f}",
        f"{MOMENT * 1e6:.0f}",
        f"{MOMENT * 1e9:.0f}",
    ],
)
def test_one_moment_in_every_form(text: str) -> None:
    assert Moments(UTC).read(text) == pytest.approx(MOMENT, abs=1e-3)


def test_the_form_of_access_logs_has_its_zone() -> None:
    assert Moments(UTC).read("10/Oct/2000:13:55:36 -0700") == 971211336.0


def test_a_moment_without_a_zone_is_in_the_given_one() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert Moments(berlin).read("2026-11-21 11:00:00.5") == MOMENT
    assert Moments(berlin).read("2026-11-21T10:00:00.5Z") == MOMENT


@pytest.mark.parametrize(
    ("value", "naive"),
    [
        ("2026-11-21 11:00:00.5", True),
        ("2026-11-21", True),
        ("2026-11-21T10:00:00.5Z", False),
        ("2026-11-21T10:00:00.5-08:00", False),
        ("10/Oct/2000:13:55:36 -0700", False),
        ("1795255200", False),
        (1795255200, False),
    ],
)
def test_what_names_no_zone_is_remembered(value: str | float, naive: bool) -> None:
    moments = Moments(ZoneInfo("Europe/Berlin"))
    moments.read(value)
    assert moments.naive is naive


def test_utc_behind_a_moment_is_its_zone() -> None:
    moments = Moments(ZoneInfo("Europe/Berlin"))
    assert (moments.read("2026-11-21 10:00:00.500 UTC"), moments.naive) == (MOMENT, False)


@pytest.mark.parametrize("text", ["", "yesterday", "10:00", "2026-13-01", "1.2.3", "-"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Moments(UTC).read(text)
