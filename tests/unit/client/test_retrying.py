"""What is sent again and what is not, as rules: of the pure policy, and of both kinds of call."""

import httpx
import pytest
from tests.fakes.remote import Remote, Reply, busy, ok

from preheat.client import Client, Retries
from preheat.client.exchange import Answer, Cause, Failed, Outcome, Repeat
from preheat.errors import Overloaded, RequestError, Unavailable

JOB = {"id": "j", "status": "queued"}
UNCERTAIN: list[Reply] = [busy(502), busy(504), httpx.ReadError("reset"), httpx.WriteError("reset")]
REFUSED: list[Reply] = [busy(429), busy(503), httpx.ConnectError("refused"), httpx.ConnectTimeout("late")]
FINAL = [400, 401, 404, 408, 409, 413, 415, 500, 501]


@pytest.mark.parametrize("reply", REFUSED)
def test_what_the_endpoint_did_not_take_is_always_sent_again(reply: Reply) -> None:
    remote = Remote(reply, ok("done"))
    assert remote.client.predict("x") == "done"
    assert len(remote.seen) == 2


@pytest.mark.parametrize("reply", UNCERTAIN)
def test_what_may_have_run_is_not_sent_again(reply: Reply) -> None:
    remote = Remote(reply)
    with pytest.raises(RequestError):
        remote.client.predict("x")
    assert len(remote.seen) == 1


@pytest.mark.parametrize("reply", UNCERTAIN)
def test_what_may_have_run_is_sent_again_where_the_caller_says_that_it_does_no_harm(reply: Reply) -> None:
    remote = Remote(reply, ok("done"))
    assert remote.client.predict("x", idempotent=True) == "done"
    stream = httpx.Response(200, content=b"1\n2\n")
    assert list(Remote(reply, stream, stream=True).client.stream("x", idempotent=True)) == [1, 2]


@pytest.mark.parametrize("reply", UNCERTAIN)
def test_what_may_have_run_is_sent_again_where_a_key_makes_it_the_same_job(reply: Reply) -> None:
    remote = Remote(reply, httpx.Response(202, json=JOB))
    assert remote.client.submit("x", ttl_s=9).id == "j"
    assert [request.headers["idempotency-key"] for request in remote.seen] == ["fresh", "fresh"]
    assert remote.seen[0].headers["x-preheat-ttl-s"] == "9"


@pytest.mark.parametrize("reply", UNCERTAIN)
def test_reading_and_cancelling_a_job_are_sent_again(reply: Reply) -> None:
    client = Remote(reply, ok(JOB), reply, ok(JOB | {"status": "cancelled"})).client
    assert [client.job("j").status(), client.job("j").cancel()] == ["queued", "cancelled"]


@pytest.mark.parametrize("status", FINAL)
def test_any_other_error_is_final(status: int) -> None:
    policy = Retries()
    answer = Answer(status=status, headers={"retry-after": "1"})
    assert policy.delay_s(answer, Repeat.SAFE, 0, 1.0) is None


@pytest.mark.parametrize("cause", [Cause.TIMEOUT, Cause.UNTRUSTED])
def test_neither_a_deadline_nor_a_strange_certificate_is_tried_again(cause: Cause) -> None:
    assert Retries().delay_s(Failed(cause, "x"), Repeat.SAFE, 0, 1.0) is None


def test_the_back_off_doubles_to_a_bound_and_its_second_half_is_jitter() -> None:
    policy = Retries(most=99, first_s=1.0, longest_s=5.0)
    busy: Outcome = Answer(status=429, headers={})
    assert [policy.delay_s(busy, Repeat.REFUSED, done, 1.0) for done in range(4)] == [1, 2, 4, 5]
    assert [policy.delay_s(busy, Repeat.REFUSED, 1, jitter) for jitter in (0.0, 0.5, 1.0)] == [1.0, 1.5, 2.0]


def test_retries_end() -> None:
    remote = Remote(*[httpx.ConnectError("refused") for _ in range(5)])
    with pytest.raises(Unavailable, match="refused"):
        remote.client.predict("x")
    assert remote.slept == [0.25, 0.5, 1.0, 2.0]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_waited_for(status: int) -> None:
    remote = Remote(busy(status, **{"retry-after": "3"}), ok("done"))
    assert remote.client.predict("x") == "done"
    assert remote.slept == [3.0]


def test_a_date_in_retry_after_counts_from_the_answers_own_date() -> None:
    dates = {"retry-after": "Sat, 21 Nov 2026 05:00:09 GMT", "date": "Sat, 21 Nov 2026 05:00:02 GMT"}
    remote = Remote(busy(429, **dates), ok(1))
    assert remote.client.predict("x") == 1
    assert remote.slept == [7.0]


@pytest.mark.parametrize("told", ["soon", "-1", "1.5", "9" * 30, "Sat, 21 Nov 2026 05:00:09 GMT"])
def test_a_retry_after_that_cannot_be_read_leaves_the_back_off(told: str) -> None:
    remote = Remote(busy(429, **{"retry-after": told}), ok(1))
    assert remote.client.predict("x") == 1
    assert remote.slept == [0.25]


def test_a_retry_that_would_pass_the_deadline_is_not_waited_for() -> None:
    remote = Remote(busy(429, **{"retry-after": "61"}))
    with pytest.raises(Overloaded) as caught:
        remote.client.predict("x")
    assert caught.value.retry_after_s == 61
    assert remote.slept == []


def test_all_retries_of_a_call_share_one_deadline() -> None:
    remote = Remote(*[busy(503, **{"retry-after": "4"}) for _ in range(5)])
    client: Client = remote.client
    with pytest.raises(Unavailable):
        client.predict("x", timeout_s=10)
    assert remote.slept == [4.0, 4.0]
