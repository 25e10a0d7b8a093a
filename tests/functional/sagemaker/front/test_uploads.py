import json
from dataclasses import replace
from typing import Any

import pytest
from tests.functional.sagemaker.front.conftest import JOBS, PREFIX, SCANS, Bench

from preheat_providers.sagemaker.front.uploads import LARGEST_BYTES, Lost

KEY = "in/page.json"
LONG_KEY = "/".join(["in", *["x" * 200] * 4, "x" * 213, "x"])
"""1,022 characters: S3 takes it, and with its bucket it is longer than the header may be."""
PROBLEM = {"type": "about:blank", "title": "Internal Server Error", "status": 500, "detail": "boom"}


def event(bench: Bench, bucket: str, key: str, **more: Any) -> dict[str, Any]:
    head = bench.s3.head_object(Bucket=bucket, Key=key)
    stored = {"key": key, "size": head["ContentLength"], "etag": head["ETag"].strip('"'), "sequencer": "1"}
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": "2026-11-21T12:00:00Z",
        "detail": {"bucket": {"name": bucket}, "object": stored | more},
    }


def uploaded(bench: Bench, key: str = KEY, body: bytes = b'"hello"') -> dict[str, Any]:
    bench.write(key, body, bucket="uploads-in")
    told = event(bench, "uploads-in", key)
    bench.uploads.take(told)
    return told


def written(bench: Bench, folder: str, body: bytes, **more: str) -> dict[str, Any]:
    """What SageMaker writes of the newest request, and the event of it."""
    asked = bench.endpoint.waiting()[-1]
    key = f"{PREFIX}{folder}/{asked.id}"
    bench.write(key, body, **more)
    return event(bench, JOBS, key)


def test_the_endpoint_reads_the_object_where_it_lies(bench: Bench) -> None:
    uploaded(bench)
    (asked,) = bench.endpoint.waiting()
    assert (asked.input, asked.content_type) == ("s3://uploads-in/in/page.json", "application/json")
    assert (asked.attributes, asked.timeout_s) == ("s3://uploads-in/in/page.json", 60)
    assert not [key for key in bench.listed() if key.startswith(f"{PREFIX}inputs/")]


@pytest.mark.parametrize(
    "key", ["in/a b.txt", "in/é.txt", "in/100%.txt", "in/a+b.txt", "in/a?b.txt", LONG_KEY]
)
def test_an_object_whose_key_no_header_takes_is_copied_first(bench: Bench, key: str) -> None:
    uploaded(bench, key, b"text")
    (asked,) = bench.endpoint.waiting()
    assert asked.input == f"s3://{JOBS}/{PREFIX}inputs/{asked.id}"
    copied = bench.s3.get_object(Bucket=JOBS, Key=f"{PREFIX}inputs/{asked.id}")
    assert copied["Body"].read() == b"text"


def test_an_event_that_comes_twice_is_one_request(bench: Bench) -> None:
    told = uploaded(bench)
    bench.uploads.take(told)
    assert bench.endpoint.backlog == 1


def test_an_event_that_was_cut_off_before_its_request_makes_it_when_it_comes_again(bench: Bench) -> None:
    told = uploaded(bench)
    (asked,) = bench.endpoint.waiting()
    record = f"{PREFIX}records/{asked.id}.json"
    kept = json.loads(bench.s3.get_object(Bucket=JOBS, Key=record)["Body"].read())
    bench.write(record, json.dumps(kept | {"output": ""}).encode())
    bench.uploads.take(told)
    assert [each.id for each in bench.endpoint.waiting()] == [asked.id, asked.id]


def test_a_result_goes_under_the_output_with_the_object_that_it_is_of(bench: Bench) -> None:
    uploaded(bench)
    bench.uploads.take(written(bench, "outputs", b'{"n": 1.0}', ContentType="application/json"))
    (key,) = bench.listed("results")
    found = bench.s3.get_object(Bucket="results", Key=key)
    assert (key, found["ContentType"]) == ("text/in/page.json.json", "application/json")
    body = found["Body"].read()
    assert b'"result": {"n": 1.0}' in body
    assert json.loads(body)["object"]["key"] == KEY


def test_a_result_that_is_no_json_is_written_as_it_is(bench: Bench) -> None:
    uploaded(bench)
    bench.uploads.take(written(bench, "outputs", b"\x89PNG\r\n\x1a\n"))
    assert bench.listed("results") == ["text/in/page.json.png"]
    assert (
        bench.s3.get_object(Bucket="results", Key="text/in/page.json.png")["Body"].read()
        == b"\x89PNG\r\n\x1a\n"
    )


def test_a_result_that_comes_twice_is_written_to_one_place(bench: Bench) -> None:
    uploaded(bench)
    told = written(bench, "outputs", b"1", ContentType="application/json")
    bench.uploads.take(told)
    bench.uploads.take(told)
    assert bench.listed("results") == ["text/in/page.json.json"]


def test_the_result_of_an_object_that_has_changed_since_is_dropped(bench: Bench) -> None:
    uploaded(bench)
    told = written(bench, "outputs", b"1")
    bench.write(KEY, b'"newer"', bucket="uploads-in")
    bench.uploads.take(told)
    assert bench.listed("results") == []


def test_the_result_of_an_object_that_is_gone_is_delivered(bench: Bench) -> None:
    uploaded(bench)
    told = written(bench, "outputs", b"1")
    bench.s3.delete_object(Bucket="uploads-in", Key=KEY)
    bench.uploads.take(told)
    assert bench.listed("results") == ["text/in/page.json.json"]


def test_a_failure_of_the_model_is_tried_as_often_as_the_trigger_says_and_then_lost(bench: Bench) -> None:
    uploaded(bench)
    bench.uploads.take(written(bench, "failures", json.dumps(PROBLEM).encode()))
    first, second = bench.endpoint.waiting()
    assert first.id == second.id
    with pytest.raises(Lost, match=r"s3://uploads-in/in/page.json: 500 at attempt 2: boom"):
        bench.uploads.take(written(bench, "failures", json.dumps(PROBLEM).encode()))
    assert bench.endpoint.backlog == 2


def test_a_refusal_is_not_tried_again(bench: Bench) -> None:
    uploaded(bench)
    with pytest.raises(Lost, match="400 at attempt 1"):
        bench.uploads.take(written(bench, "failures", json.dumps(PROBLEM | {"status": 400}).encode()))
    assert bench.endpoint.backlog == 1


def test_what_came_of_a_job_is_left_alone(bench: Bench) -> None:
    bench.ask("POST", "/jobs", b"1")
    bench.uploads.take(written(bench, "outputs", b"1"))
    bench.uploads.take(written(bench, "failures", b"x"))
    assert bench.listed("results") == []


def test_an_object_beyond_what_an_endpoint_takes_is_lost_with_the_reason(bench: Bench) -> None:
    bench.write(KEY, b"1", bucket="uploads-in")
    with pytest.raises(Lost, match="1,073,741,825 bytes"):
        bench.uploads.take(event(bench, "uploads-in", KEY, size=LARGEST_BYTES + 1))
    assert bench.endpoint.backlog == 0


def test_what_jobs_leave_in_a_bucket_of_a_trigger_is_no_upload(bench: Bench) -> None:
    everything = replace(SCANS, prefix="")
    uploads = replace(bench.uploads, bucket="uploads-in", triggers=(everything,))
    bench.write("page + 1.json", b"1", bucket="uploads-in")
    uploads.take(event(bench, "uploads-in", "page + 1.json"))
    left = [key for key in bench.listed("uploads-in") if key.startswith(PREFIX)]
    assert [key.removeprefix(PREFIX).partition("/")[0] for key in left] == ["inputs", "records"]
    for key in left:
        uploads.take(event(bench, "uploads-in", key))
    assert bench.endpoint.backlog == 1


@pytest.mark.parametrize("key", ["other/page.json", "in/folder/"])
def test_what_no_trigger_wants_is_skipped(bench: Bench, key: str) -> None:
    uploaded(bench, key)
    assert bench.endpoint.backlog == 0
