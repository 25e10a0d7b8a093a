"""Submit, read, cancel and claim against a table and a bucket over HTTP."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from tests.functional.aws_lambda.jobs.conftest import BUCKET, TABLE, Calling, Queued

from preheat.errors import BadInput, Conflicting, NotFound, Unavailable
from preheat.interface.message import Request, Response
from preheat.runtime.jobs import Job
from preheat_providers.aws_lambda.shipped.jobs.calls import JobCall
from preheat_providers.aws_lambda.shipped.jobs.queue import JobQueue, StillRuns
from preheat_providers.aws_lambda.shipped.jobs.records import DEFAULT_TTL_S, EVENT_S, GRACE_S, Record
from preheat_providers.aws_lambda.shipped.shapes import JOB

REQUEST = Request(id="r1", body=b'{"text": "a"}')
DONE = Response(body=b"1", model_ms=2.0)


def claimed(queued: Queued, job_id: str, caller: str = "c1") -> Record:
    record = queued.queue.claim(job_id, caller=caller, left_s=60.0)
    assert record is not None
    return record


def test_a_job_is_recorded_before_its_call_is_made(queued: Queued) -> None:
    job, new = queued.queue.submit(REQUEST)
    assert (new, job.status, job.attempts, job.expires - job.created) == (True, "queued", 0, DEFAULT_TTL_S)
    (call,) = queued.calls.made
    assert (call["FunctionName"], call["InvocationType"]) == ("f:live", "Event")
    assert JobCall.read(json.loads(call["Payload"])) == JobCall.of(job.id, REQUEST)
    assert queued.queue.get(job.id).status == "queued"


def test_a_body_too_large_for_a_call_waits_in_the_bucket(queued: Queued) -> None:
    body = bytes(2_000_000)
    job, _ = queued.queue.submit(Request(id="r1", body=body))
    assert queued.objects() == [f"{job.id}/request"]
    call = JobCall.read(json.loads(queued.calls.made[0]["Payload"]))
    assert queued.queue.body(call) == body


def test_a_job_that_cannot_be_called_for_is_not_kept(queued: Queued) -> None:
    queued.calls.refused = True
    with pytest.raises(Unavailable, match="Invoke answered TooManyRequestsException"):
        queued.queue.submit(REQUEST)
    assert queued.items() == 0


def test_a_job_with_a_key_that_cannot_be_called_for_is_called_for_when_the_key_comes_again(
    queued: Queued,
) -> None:
    queued.calls.refused = True
    for _ in range(2):
        with pytest.raises(Unavailable, match="Invoke answered TooManyRequestsException"):
            queued.queue.submit(REQUEST, idempotency_key="k")
    queued.calls.refused = False
    job, _ = queued.queue.submit(REQUEST, idempotency_key="k")
    assert len(queued.calls.made) == 1
    assert claimed(queued, job.id).attempts == 1


def test_a_job_that_another_submit_of_its_key_had_accepted_outlives_a_refusal_of_the_first(
    queued: Queued,
) -> None:
    accepted: list[Job] = []

    class Meanwhile(Calling):
        def invoke(self, **asked: Any) -> None:
            accepted.append(queued.queue.submit(REQUEST, idempotency_key="k")[0])
            super().invoke(**asked)

    clients = replace(queued.clients, calls=cast("Any", Meanwhile(refused=True)))
    first = JobQueue(clients, table=TABLE, bucket=BUCKET, function="f:live", clock=lambda: queued.now)
    with pytest.raises(Unavailable):
        first.submit(REQUEST, idempotency_key="k")
    (job,) = accepted
    assert queued.queue.get(job.id).status == "queued"
    assert claimed(queued, job.id).attempts == 1


@pytest.mark.parametrize("ttl_s", [0.0, -1.0, 7 * 24 * 3600.0 + 1])
def test_a_job_lives_no_longer_than_the_bucket_keeps_it(queued: Queued, ttl_s: float) -> None:
    with pytest.raises(BadInput, match="604800"):
        queued.queue.submit(REQUEST, ttl_s=ttl_s)


def test_an_expired_job_is_not_found_although_dynamodb_still_has_it(queued: Queued) -> None:
    job, _ = queued.queue.submit(REQUEST, ttl_s=10)
    queued.now += 11
    assert queued.items() == 1
    for ask in (queued.queue.get, queued.queue.cancel):
        with pytest.raises(NotFound, match="or it has expired"):
            ask(job.id)
    assert queued.queue.claim(job.id, caller="c1", left_s=1.0) is None


def test_the_same_key_and_request_is_the_same_job(queued: Queued) -> None:
    job, _ = queued.queue.submit(REQUEST, idempotency_key="k")
    claimed(queued, job.id)
    again, new = queued.queue.submit(Request(id="r2", body=REQUEST.body), idempotency_key="k")
    assert (again.id, again.status, new) == (job.id, "running", False)
    assert len(queued.calls.made) == 1
    with pytest.raises(Conflicting, match=job.id):
        queued.queue.submit(Request(id="r3", body=b"other"), idempotency_key="k")


def test_a_key_is_free_again_when_its_job_has_expired(queued: Queued) -> None:
    job, _ = queued.queue.submit(REQUEST, idempotency_key="k", ttl_s=10)
    queued.now += 11
    again, new = queued.queue.submit(Request(id="r2", body=b"other"), idempotency_key="k")
    assert new
    assert again.id != job.id


def test_whoever_repeats_a_submit_that_broke_off_brings_it_to_its_end(queued: Queued) -> None:
    job, _ = queued.queue.submit(REQUEST, idempotency_key="k")
    assert queued.queue.submit(REQUEST, idempotency_key="k")[1] is False
    assert len(queued.calls.made) == 2, "the first call may never have been made"
    queued.clients.dynamodb.delete_item(TableName="records", Key={"id": {"S": f"preheat-job#{job.id}"}})
    again, new = queued.queue.submit(REQUEST, idempotency_key="k")
    assert (again.id, new) == (job.id, True)
    assert queued.queue.get(job.id).status == "queued"


def test_an_answer_is_kept_as_it_was_given(queued: Queued) -> None:
    job, _ = queued.queue.submit(REQUEST)
    answer = Response(content_type="image/png", body=b"\xff\x00", headers={"a": "b"}, model_ms=2.0)
    assert queued.queue.finish(claimed(queued, job.id), answer)
    found = queued.queue.get(job.id)
    assert (found.status, found.attempts, found.response) == ("succeeded", 1, answer)
    assert found.finished == queued.now
    assert queued.queue.claim(job.id, caller="c2", left_s=1.0) is None


def test_of_two_answers_the_first_is_kept(queued: Queued) -> None:
    job, _ = queued.queue.submit(REQUEST)
    first = claimed(queued, job.id, "c1")
    queued.now += 60 + GRACE_S + 1
    second = claimed(queued, job.id, "c2")
    assert second.attempts == 2
    assert not queued.queue.finish(first, Response(body=b"late"))
    assert queued.queue.finish(second, Response(body=b"kept"))
    assert not queued.queue.finish(second, Response(body=b"twice"))
    response = queued.queue.get(job.id).response
    assert response is not None
    assert response.body == b"kept"


def test_a_job_is_run_by_one_call_at_a_time(queued: Queued) -> None:
    job, _ = queued.queue.submit(REQUEST)
    claimed(queued, job.id, "c1")
    with pytest.raises(StillRuns):
        queued.queue.claim(job.id, caller="c2", left_s=60.0)
    assert queued.queue.get(job.id).attempts == 1


def test_a_repeated_call_need_not_wait_for_the_time_of_the_one_that_died(queued: Queued) -> None:
    job, _ = queued.queue.submit(REQUEST)
    claimed(queued, job.id, "c1")
    assert claimed(queued, job.id, "c1").attempts == 2


def test_a_job_that_was_cut_off_three_times_has_failed_for_whoever_asks(queued: Queued) -> None:
    job, _ = queued.queue.submit(REQUEST)
    for _ in range(3):
        claimed(queued, job.id)
        queued.now += 60 + GRACE_S + 1
    found = queued.queue.get(job.id)
    assert found.status == "failed"
    assert found.response is not None
    assert found.response.status == 502
    assert "Attempt 3 was cut off" in json.loads(found.response.body)["detail"]
    assert queued.queue.get(job.id) == found
    assert queued.queue.claim(job.id, caller="c1", left_s=60.0) is None


def test_the_fourth_call_ends_a_job_that_was_cut_off_three_times(queued: Queued) -> None:
    job, _ = queued.queue.submit(REQUEST)
    for _ in range(3):
        claimed(queued, job.id, "c1")
    assert queued.queue.claim(job.id, caller="c1", left_s=60.0) is None
    assert queued.queue.get(job.id).status == "failed"


def test_a_job_whose_call_lambda_dropped_has_failed(queued: Queued) -> None:
    job, _ = queued.queue.submit(REQUEST)
    queued.now += EVENT_S + GRACE_S + 1
    found = queued.queue.get(job.id)
    assert (found.status, found.attempts) == ("failed", 0)
    assert queued.queue.claim(job.id, caller="c1", left_s=60.0) is None


def test_what_is_cancelled_never_starts(queued: Queued) -> None:
    job, _ = queued.queue.submit(REQUEST)
    assert queued.queue.cancel(job.id).status == "cancelled"
    assert queued.queue.claim(job.id, caller="c1", left_s=60.0) is None


@pytest.mark.parametrize(
    "end",
    [
        lambda queued, record: queued.queue.finish(record, DONE),
        lambda queued, record: queued.queue.put_back(record),
    ],
    ids=["finish", "put back"],
)
def test_the_answer_of_a_cancelled_job_is_dropped(
    queued: Queued, end: Callable[[Queued, Record], bool]
) -> None:
    job, _ = queued.queue.submit(REQUEST)
    record = claimed(queued, job.id)
    assert queued.queue.cancel(job.id).status == "cancelled"
    assert not end(queued, record)
    found = queued.queue.get(job.id)
    assert (found.status, found.response) == ("cancelled", None)


def test_a_finished_job_stays_as_it_is(queued: Queued) -> None:
    job, _ = queued.queue.submit(REQUEST)
    queued.queue.finish(claimed(queued, job.id), DONE)
    assert queued.queue.cancel(job.id) == queued.queue.get(job.id)
    assert queued.queue.get(job.id).status == "succeeded"


def test_what_the_bucket_has_lost_is_not_found(queued: Queued) -> None:
    job, _ = queued.queue.submit(REQUEST)
    queued.queue.finish(claimed(queued, job.id), DONE)
    for key in queued.objects():
        queued.clients.s3.delete_object(Bucket=BUCKET, Key=key)
    with pytest.raises(NotFound, match="is gone"):
        queued.queue.get(job.id)
    call = JobCall.read({JOB: json.loads(JobCall.of("x", REQUEST).event())[JOB] | {"body_base64": None}})
    with pytest.raises(NotFound):
        queued.queue.body(call)
