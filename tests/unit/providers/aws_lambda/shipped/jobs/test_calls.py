import json
from typing import Any

import pytest

from preheat.interface.message import Request
from preheat_providers.aws_lambda.shipped.jobs.calls import LARGEST_CALL, JobCall
from preheat_providers.aws_lambda.shipped.shapes import JOB, UnknownEvent, kind_of

ASKED = Request(
    id="r1",
    body=b"\x00\xff",
    content_type="image/png",
    accept="text/plain",
    timeout_s=9.0,
    headers={"traceparent": "00-1"},
)


def test_a_call_is_read_as_it_was_written() -> None:
    call = JobCall.of("a1", ASKED)
    event = json.loads(call.event())
    assert kind_of(event) == "job"
    assert JobCall.read(event) == call
    assert call.request(b"\x00\xff", 60.0) == Request(
        id="a1",
        body=b"\x00\xff",
        content_type="image/png",
        accept="text/plain",
        timeout_s=9.0,
        headers={"traceparent": "00-1"},
    )


def test_a_body_that_lambda_would_not_queue_stays_out_of_the_call() -> None:
    small = JobCall.of("a1", Request(id="r1", body=bytes(LARGEST_CALL * 3 // 4 - 500)))
    large = JobCall.of("a1", Request(id="r1", body=bytes(LARGEST_CALL * 3 // 4)))
    assert small.body is not None
    assert len(small.event()) <= LARGEST_CALL
    assert large.body is None
    assert JobCall.read(json.loads(large.event())) == large


@pytest.mark.parametrize(
    ("asked_s", "left_s", "given_s"), [(9.0, 5.0, 5.0), (None, 5.0, 5.0), (9.0, -1.0, 0.0)]
)
def test_a_job_takes_no_longer_than_its_call(asked_s: float | None, left_s: float, given_s: float) -> None:
    call = JobCall.of("a1", Request(id="r1", body=b"", timeout_s=asked_s))
    assert call.request(b"", left_s).timeout_s == given_s


WHOLE = json.loads(JobCall.of("a1", ASKED).event())[JOB]


@pytest.mark.parametrize("value", [None, {}, [], {"id": "1"}, WHOLE | {"body_base64": "%"}])
def test_what_is_no_job_is_refused_with_the_shape_of_one(value: Any) -> None:
    with pytest.raises(UnknownEvent, match="body_base64"):
        JobCall.read({JOB: value})
