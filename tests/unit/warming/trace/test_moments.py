from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from preheat.warming.trace.moments import read_moment

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
    assert read_moment(text, UTC) == pytest.approx(MOMENT, abs=1e-3)


def test_the_form_of_access_logs_has_its_zone() -> None:
    assert read_moment("10/Oct/2000:13:55:36 -0700", UTC) == 971211336.0


def test_a_moment_without_a_zone_is_in_the_given_one() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert read_moment("2026-11-21 11:00:00.5", berlin) == MOMENT
    assert read_moment("2026-11-21T10:00:00.5Z", berlin) == MOMENT


@pytest.mark.parametrize("text", ["", "yesterday", "10:00", "2026-13-01", "1.2.3", "-"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_moment(text, UTC)
