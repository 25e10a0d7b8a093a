"""Attempts at jobs: what the model says is recorded, or left for Lambda to call again."""

import json
from typing import Any

import pytest
from tests.fakes.lambda_events import Context
from tests.fakes.lambda_work import Length
from tests.functional.aws_lambda.jobs.conftest import BUCKET, Queued

from preheat.interface.message import Request
from preheat_providers.aws_lambda.shipped.jobs.attempts import AttemptFailed, Attempts
from preheat_providers.aws_lambda.shipped.jobs.queue import StillRuns


class Ran:
    """A queue with one job, the model, and what was logged."""

    def __init__(self, queued: Queued, body: bytes, **fields: Any) -> None:
        self.queued, self.model = queued, Length()
        self.events: list[dict[str, Any]] = []
        self.attempts = Attempts(queued.queue, self.model, self.events.append)
        job, _ = queued.queue.submit(Request(id="r1", body=body, **fields))
        self.id = job.id
        self.event = json.loads(queued.calls.made[-1]["Payload"])

    def call(self, **context: Any) -> None:
        self.attempts.run(self.event, Context(**context))

    @property
    def state(self) -> tuple[str, int, int | None]:
        job = self.queued.queue.get(self.id)
        return job.status, job.attempts, None if job.response is None else job.response.status


def test_the_model_is_asked_what_was_submitted_under_the_jobs_id(queued: Queued) -> None:
    ran = Ran(queued, b"hello", content_type="text/plain", timeout_s=9.0)
    ran.call()
    (asked,) = ran.model.requests
    assert (asked.id, asked.body, asked.content_type, asked.timeout_s) == (
        ran.id,
        b"hello",
        "text/plain",
        9.0,
    )
    assert ran.state == ("succeeded", 1, 200)
    assert [event["event"] for event in ran.events] == ["job-finished"]


def test_a_body_in_the_bucket_is_fetched(queued: Queued) -> None:
    ran = Ran(queued, bytes(1_500_000))
    ran.call()
    assert len(ran.model.requests[0].body) == 1_500_000
    assert ran.state == ("succeeded", 1, 200)


def test_a_call_that_comes_twice_runs_once(queued: Queued) -> None:
    ran = Ran(queued, b"hello")
    ran.call()
    ran.call()
    assert len(ran.model.requests) == 1
    assert [event["event"] for event in ran.events] == ["job-finished", "job-skipped"]


def test_a_refusal_is_final(queued: Queued) -> None:
    ran = Ran(queued, b"bad")
    ran.call()
    assert ran.state == ("failed", 1, 400)


def test_a_failure_is_for_lambda_to_repeat_and_the_third_is_the_answer(queued: Queued) -> None:
    ran = Ran(queued, b"poison")
    for attempt in (1, 2):
        with pytest.raises(AttemptFailed, match=f"Attempt {attempt} of 3 at job {ran.id} failed.*It failed"):
            ran.call()
        assert ran.state == ("queued", attempt, None)
    ran.call()
    assert ran.state == ("failed", 3, 500)
    ran.call()
    assert len(ran.model.requests) == 3


def test_a_job_without_time_left_is_an_attempt_that_failed(queued: Queued) -> None:
    ran = Ran(queued, b"hello")
    with pytest.raises(AttemptFailed, match="no time left"):
        ran.call(left_ms=0)
    assert ran.model.requests == []


def test_another_call_comes_again_while_the_first_runs(queued: Queued) -> None:
    ran = Ran(queued, b"hello")
    queued.queue.claim(ran.id, caller="another", left_s=60.0)
    with pytest.raises(StillRuns):
        ran.call()


def test_a_cancelled_job_is_passed_over(queued: Queued) -> None:
    ran = Ran(queued, b"hello")
    queued.queue.cancel(ran.id)
    ran.call()
    assert ran.model.requests == []
    assert ran.state == ("cancelled", 0, None)


def test_an_answer_that_comes_after_a_cancel_is_dropped(queued: Queued) -> None:
    for body in (b"hello", b"poison"):
        ran = Ran(queued, body)

        def ask(request: Request, ran: Ran = ran) -> Any:
            queued.queue.cancel(ran.id)
            return ran.model(request)

        Attempts(queued.queue, ask, ran.events.append).run(ran.event, Context())
        assert ran.events[-1]["event"] == "job-dropped"
        assert ran.state == ("cancelled", 1, None)


def test_a_body_that_is_gone_fails_the_job(queued: Queued) -> None:
    ran = Ran(queued, bytes(1_500_000))
    queued.clients.s3.delete_object(Bucket=BUCKET, Key=f"{ran.id}/request")
    ran.call()
    assert ran.state == ("failed", 1, 404)
