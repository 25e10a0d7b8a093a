import json
from base64 import b64encode
from typing import Any

import pytest
from tests.fakes.lambda_events import Context, scheduled
from tests.fakes.lambda_work import Bucket, Length, Remembered, Told

from preheat_providers.aws_lambda.events.jobs import JobCalls
from preheat_providers.aws_lambda.events.ticks import Ticks
from preheat_providers.aws_lambda.events.work import Refused, Worker
from preheat_providers.aws_lambda.settings import Tick
from preheat_providers.aws_lambda.shapes import JOB, UnknownEvent

TICKS = [Tick(name="nightly", input={"text": "hello"}), Tick(name="weekly")]


@pytest.fixture
def model() -> Length:
    return Length()


@pytest.fixture
def worker(model: Length) -> Worker:
    return Worker(model, Remembered(), Told())


@pytest.mark.parametrize("schedule", ["nightly", "demo-dev-nightly"])
def test_a_tick_runs_its_triggers_input(model: Length, worker: Worker, schedule: str) -> None:
    Ticks(TICKS, worker).deliver(scheduled(schedule), Context())
    assert json.loads(model.requests[0].body) == {"text": "hello"}


def test_a_tick_that_is_delivered_twice_runs_once(model: Length, worker: Worker) -> None:
    ticks = Ticks(TICKS, worker)
    for moment in ("2026-01-01T02:30:00Z", "2026-01-01T02:30:00Z", "2026-01-02T02:30:00Z"):
        ticks.deliver(scheduled("nightly", time=moment), Context())
    assert len(model.requests) == 2


@pytest.mark.parametrize("event", [scheduled("other"), {**scheduled("nightly"), "resources": []}])
def test_a_schedule_of_somebody_else_is_refused_by_name(worker: Worker, event: dict[str, Any]) -> None:
    with pytest.raises(UnknownEvent, match="which are nightly, weekly"):
        Ticks(TICKS, worker).deliver(event, Context())


def job(body: bytes, **fields: Any) -> dict[str, Any]:
    return {JOB: {"id": "j1", "body_base64": b64encode(body).decode(), "output": "out/jobs/", **fields}}


def test_the_answer_of_a_job_is_an_object(worker: Worker, model: Length) -> None:
    bucket = Bucket()
    calls = JobCalls(bucket, worker)
    for _ in range(2):
        calls.deliver(job(b"hello", content_type="text/plain"), Context())
    assert bucket.objects == {("out", "jobs/j1.json"): b"5"}
    assert [request.content_type for request in model.requests] == ["text/plain"]


def test_a_refusal_is_the_result_of_a_job(worker: Worker) -> None:
    bucket = Bucket()
    JobCalls(bucket, worker).deliver(job(b"bad"), Context())
    assert json.loads(bucket.objects["out", "jobs/j1.json"])["status"] == 400
    assert bucket.types["out", "jobs/j1.json"] == "application/problem+json"


def test_a_failure_of_a_job_is_for_lambda_to_try_again(worker: Worker) -> None:
    bucket = Bucket()
    with pytest.raises(Refused, match="It failed"):
        JobCalls(bucket, worker).deliver(job(b"poison"), Context())
    assert bucket.objects == {}


@pytest.mark.parametrize("value", [None, {}, {"id": "1"}, {"id": "1", "body_base64": "%%", "output": "o"}])
def test_what_is_no_job_is_refused_with_the_shape_of_one(worker: Worker, value: Any) -> None:
    with pytest.raises(UnknownEvent, match="body_base64"):
        JobCalls(Bucket(), worker).deliver({JOB: value}, Context())
