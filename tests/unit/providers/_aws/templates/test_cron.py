from datetime import UTC, datetime, timedelta

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.fakes.aws_cron import fires

from preheat_providers._aws.templates.cron import Inexpressible, aws_cron


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 3 * * *", "cron(0 3 * * ? *)"),
        ("*/15 * * * *", "cron(0/15 * * * ? *)"),
        ("*/7 * * * *", "cron(0/7 * * * ? *)"),
        ("10-40/10 9-17 * * *", "cron(10,20,30,40 9-17 * * ? *)"),
        ("0 8 * * 1-5", "cron(0 8 ? * 2-6 *)"),
        ("0 8 * * mon-fri", "cron(0 8 ? * 2-6 *)"),
        ("0 8 * * 0", "cron(0 8 ? * 1 *)"),
        ("0 8 * * 7", "cron(0 8 ? * 1 *)"),
        ("0 8 * * 6,7", "cron(0 8 ? * 1,7 *)"),
        ("0 8 * * 0-7", "cron(0 8 * * ? *)"),
        ("0 8 1,15 * *", "cron(0 8 1,15 * ? *)"),
        ("0 8 1-31 * 1", "cron(0 8 * * ? *)"),
        ("0 8 */1 * 1", "cron(0 8 ? * 2 *)"),
        ("0 8 L * *", "cron(0 8 L * ? *)"),
        ("0 8 LW jan *", "cron(0 8 LW 1 ? *)"),
        ("0 8 * * 5#2", "cron(0 8 ? * 6#2 *)"),
        ("0 8 * 6-8 5L", "cron(0 8 ? 6-8 6L *)"),
    ],
)
def test_five_fields_become_the_six_of_aws(cron: str, expected: str) -> None:
    assert aws_cron(cron) == expected


@pytest.mark.parametrize(
    ("cron", "reason"),
    [
        ("0 3 13 * 5", "make two triggers of it"),
        ("0 3 */2 * 5", "which wants both"),
        ("0 3 1,L * *", "lists L beside other days"),
        ("0 3 1,LW * *", "lists L beside other days"),
        ("0 3 * * 1,5#2", "lists a weekday with # or L beside others"),
        ("0 3 * * 1#1,1#3", "lists a weekday with # or L beside others"),
    ],
)
def test_what_aws_has_no_words_for_says_why(cron: str, reason: str) -> None:
    with pytest.raises(Inexpressible, match=reason):
        aws_cron(cron)


def test_the_longest_expression_has_room_in_the_256_characters_that_aws_reads() -> None:
    def pairs(least: int, most: int) -> str:
        return ",".join(str(each) for each in range(least, most + 1) if (each - least) % 3 < 2)

    assert len(aws_cron(f"{pairs(0, 59)} {pairs(0, 23)} {pairs(1, 31)} {pairs(1, 12)} *")) < 256


def field(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    span = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    step = st.tuples(st.one_of(st.just("*"), span), st.integers(1, 20)).map(
        lambda each: f"{each[0]}/{each[1]}"
    )
    listed = st.lists(number.map(str), min_size=2, max_size=4).map(",".join)
    return st.one_of(st.just("*"), number.map(str), span, step, listed)


DAYS = st.one_of(field(1, 31), st.just("L"), st.just("LW"))
WEEKDAYS = st.one_of(field(0, 7), st.just("5L"), st.just("3#2"))
FIELDS = st.tuples(field(0, 59), field(0, 23), DAYS, field(1, 12), WEEKDAYS)


@given(FIELDS.map(" ".join), st.datetimes(datetime(2024, 1, 1), datetime(2029, 1, 1)))
def test_aws_runs_it_when_cron_does(cron: str, moment: datetime) -> None:
    moment = moment.replace(second=0, microsecond=0, tzinfo=UTC)
    try:
        expression = aws_cron(cron)
        following = next(CronSim(cron, moment))
    except (Inexpressible, CronSimError, StopIteration):
        assume(False)
    assert fires(expression, following)
    minute = timedelta(minutes=1)
    for near in (moment, following + minute, following - minute, following + timedelta(hours=1)):
        assert fires(expression, near) == (next(CronSim(cron, near - minute)) == near)
