from dataclasses import replace

import pytest

from preheat.interface.message import Request, Response
from preheat_providers.aws_lambda.shipped.jobs.records import (
    EVENT_S,
    GRACE_S,
    LONGEST_TTL_S,
    Record,
    answer_head,
    answer_key,
    answer_of,
    idempotency_item,
)
from preheat_providers.aws_lambda.template.jobs import KEPT_DAYS

NEW = Record(id="a1", created=1000.25, expires=2000.0)
HELD = replace(
    NEW, status="running", attempts=1, started=1001.5, held_by="call-1", held_until=1061.5, expires=1e6
)
DONE = replace(NEW, status="failed", finished=1002.0, attempts=3, answer="{}", answer_key="a1/answer-x")


@pytest.mark.parametrize("record", [NEW, HELD, DONE], ids=["new", "held", "done"])
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    assert Record.of(record.item()) == record


def test_dynamodb_removes_no_record_before_its_time() -> None:
    assert replace(NEW, expires=2000.1).item()["expiration"] == {"N": "2001"}


def test_the_bucket_keeps_answers_as_long_as_a_record_may_live() -> None:
    assert KEPT_DAYS * 24 * 3600 == LONGEST_TTL_S


@pytest.mark.parametrize(
    ("record", "now", "lost"),
    [
        (NEW, NEW.created + EVENT_S, None),
        (NEW, NEW.created + EVENT_S + GRACE_S + 1, "Lambda kept the call for 6 hours"),
        (HELD, 1061.5 + GRACE_S + 1, None),
        (HELD, HELD.created + EVENT_S + GRACE_S + 1, "Attempt 1 was cut off"),
        (replace(HELD, attempts=3), 1061.5 + GRACE_S, None),
        (replace(HELD, attempts=3), 1061.5 + GRACE_S + 1, "Attempt 3 was cut off"),
        (DONE, 1e9, None),
    ],
    ids=["fresh", "never run", "cut off", "cut off for good", "last runs", "last cut off", "done"],
)
def test_a_job_is_lost_when_nobody_will_come_for_it(record: Record, now: float, lost: str | None) -> None:
    why = record.lost(now)
    assert (why is None) == (lost is None)
    assert lost is None or lost in str(why)


def test_what_was_cut_off_waits_for_the_next_attempt() -> None:
    assert HELD.job(1061.5, None).status == "running"
    assert HELD.job(1061.5 + GRACE_S + 1, None).status == "queued"


def test_an_answer_is_put_together_as_it_was() -> None:
    answer = Response(
        status=201,
        content_type="image/png",
        body=b"\xff",
        headers={"a": "b"},
        queue_ms=1.5,
        model_ms=2.5,
        batch_size=1,
    )
    assert answer_of(answer_head(answer), answer.body) == answer


def test_no_two_answers_share_a_place() -> None:
    assert answer_key("a1") != answer_key("a1")


def test_an_idempotency_key_stands_for_one_request_and_stays_unreadable() -> None:
    request = Request(id="1", body=b"{}")
    item = idempotency_item("order 17", request, NEW)
    assert "order" not in str(item)
    assert idempotency_item("order 17", replace(request, id="2"), NEW) == item
    for other in (replace(request, body=b"[]"), replace(request, accept="image/png")):
        assert idempotency_item("order 17", other, NEW)["digest"] != item["digest"]
