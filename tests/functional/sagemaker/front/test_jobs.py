import hashlib
import json
import urllib.request
from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.sagemaker.urls import body_of, json_of, url_event
from tests.functional.sagemaker.front.conftest import JOBS, NAME, PREFIX, Bench
from tests.functional.sagemaker.front.test_uploads import event

from preheat_providers.sagemaker.front.exchange import Reply, answered
from preheat_providers.sagemaker.front.storage import Call, Endpoint

BODY = b'{"text": "hello"}'
KEY = {"idempotency_key": "order-42"}


def submitted(bench: Bench, body: bytes = BODY, /, **headers: str) -> str:
    answer = bench.ask("POST", "/jobs", body, **headers)
    assert answer["statusCode"] == 202, answer
    return str(json_of(answer)["id"])


def read(bench: Bench, job: str) -> dict[str, Any]:
    found: dict[str, Any] = json_of(bench.ask("GET", f"/jobs/{job}"))
    return found


def test_a_job_is_stored_and_queued_once_with_what_it_asked_for(bench: Bench) -> None:
    answer = bench.ask(
        "POST",
        "/jobs",
        BODY,
        content_type="application/json",
        accept="text/plain",
        x_amzn_sagemaker_custom_attributes="tenant=7",
        x_preheat_timeout_s="12",
        x_preheat_ttl_s="120",
    )
    document = json_of(answer)
    assert (answer["statusCode"], document["status"]) == (202, "queued")
    assert answer["headers"]["location"] == f"/jobs/{document['id']}"
    assert bench.listed() == [f"{PREFIX}inputs/{document['id']}", f"{PREFIX}records/{document['id']}.json"]
    assert bench.endpoint.backlog == 1
    (asked,) = bench.endpoint.waiting()
    assert (asked.id, asked.content_type, asked.accept) == (document["id"], "application/json", "text/plain")
    assert (asked.attributes, asked.timeout_s, asked.ttl_s) == ("tenant=7", 12, 120)
    assert bench.s3.get_object(Bucket=JOBS, Key=f"{PREFIX}inputs/{asked.id}")["Body"].read() == BODY


def test_the_state_is_what_sagemaker_wrote(bench: Bench) -> None:
    job = submitted(bench)
    assert read(bench, job)["status"] == "queued"
    bench.write(f"{PREFIX}outputs/{job}", b'{"text": "HELLO"}', ContentType="application/json")
    found = read(bench, job)
    assert (found["status"], found["result"], found["attempts"]) == ("succeeded", {"text": "HELLO"}, 1)
    assert found["finished"] is not None
    result = bench.ask("GET", f"/jobs/{job}/result")
    assert (body_of(result), result["headers"]["content-type"]) == (b'{"text": "HELLO"}', "application/json")


def test_a_failure_is_the_problem_of_the_handler(bench: Bench) -> None:
    job = submitted(bench)
    problem = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "no"}
    bench.write(f"{PREFIX}failures/{job}", json.dumps(problem).encode())
    assert (read(bench, job)["status"], read(bench, job)["error"]) == ("failed", problem)
    result = bench.ask("GET", f"/jobs/{job}/result")
    assert (result["statusCode"], json_of(result)) == (400, problem)
    assert result["headers"]["content-type"] == "application/problem+json"


def test_the_same_key_with_the_same_request_is_the_same_job(bench: Bench) -> None:
    job = submitted(bench, **KEY)
    again = bench.ask("POST", "/jobs", BODY, **KEY)
    assert (again["statusCode"], json_of(again)["id"]) == (200, job)
    assert bench.endpoint.backlog == 1


@pytest.mark.parametrize("change", [{"body": b"{}"}, {"content_type": "text/plain"}, {"accept": "a/b"}])
def test_the_same_key_with_another_request_is_refused(bench: Bench, change: dict[str, Any]) -> None:
    submitted(bench, **KEY)
    assert bench.ask("POST", "/jobs", change.pop("body", BODY), **KEY, **change)["statusCode"] == 409


def test_a_submit_that_was_cut_off_before_its_record_is_taken_up_by_its_repetition(bench: Bench) -> None:
    job = submitted(bench, **KEY)
    before = read(bench, job)
    bench.s3.delete_object(Bucket=JOBS, Key=f"{PREFIX}records/{job}.json")
    bench.clock.advance(30)
    again = bench.ask("POST", "/jobs", BODY, **KEY)
    assert (again["statusCode"], json_of(again)["created"]) == (202, before["created"])
    first, second = bench.endpoint.waiting()
    assert bench.endpoint.config.output_of(first) == bench.endpoint.config.output_of(second)


def test_another_request_does_not_take_up_a_submit_that_was_cut_off(bench: Bench) -> None:
    job = submitted(bench, **KEY)
    bench.s3.delete_object(Bucket=JOBS, Key=f"{PREFIX}records/{job}.json")
    assert bench.ask("POST", "/jobs", b"{}", **KEY)["statusCode"] == 409
    assert bench.endpoint.backlog == 1


def test_a_job_that_waits_is_cancelled_by_taking_its_input_away(bench: Bench) -> None:
    job = submitted(bench, **KEY)
    answer = bench.ask("DELETE", f"/jobs/{job}")
    assert (answer["statusCode"], json_of(answer)["status"]) == (200, "cancelled")
    assert f"{PREFIX}inputs/{job}" not in bench.listed()
    bench.write(f"{PREFIX}failures/{job}", b"NoSuchKey")
    assert read(bench, job)["status"] == "cancelled"
    assert bench.ask("GET", f"/jobs/{job}/result")["statusCode"] == 409
    assert json_of(bench.ask("POST", "/jobs", BODY, **KEY))["status"] == "cancelled"


def test_a_job_that_another_submit_of_its_key_made_and_somebody_cancelled_stays_so(bench: Bench) -> None:
    class Slow(Endpoint):
        def send(self, call: Call) -> tuple[str, str]:
            assert bench.ask("DELETE", f"/jobs/{submitted(bench, **KEY)}")["statusCode"] == 200
            return Endpoint.send(self, call)

    slow = replace(bench.jobs, endpoint=Slow(bench.runtime, NAME))
    answer = answered(url_event("POST", "/jobs", BODY, **KEY), slow.answer)
    assert (answer["statusCode"], json_of(answer)["status"]) == (200, "cancelled")
    assert read(bench, json_of(answer)["id"])["status"] == "cancelled"


def test_a_job_that_has_ended_cannot_be_cancelled(bench: Bench) -> None:
    job = submitted(bench)
    bench.write(f"{PREFIX}outputs/{job}", b"1")
    assert json_of(bench.ask("DELETE", f"/jobs/{job}"))["status"] == "succeeded"
    assert f"{PREFIX}inputs/{job}" in bench.listed()


def test_without_a_result_yet_one_is_told_to_come_back(bench: Bench) -> None:
    answer = bench.ask("GET", f"/jobs/{submitted(bench)}/result")
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (409, "1")


def test_a_job_expires_and_its_key_is_free_again_without_the_old_answer(bench: Bench) -> None:
    job = submitted(bench, x_preheat_ttl_s="60", **KEY)
    bench.write(f"{PREFIX}outputs/{job}", b'"old"')
    assert read(bench, job)["status"] == "succeeded"
    bench.clock.advance(61)
    assert bench.ask("GET", f"/jobs/{job}")["statusCode"] == 404
    assert submitted(bench, b'"other"', **KEY) == job
    assert read(bench, job)["status"] == "queued"


def test_an_answer_that_lambda_cannot_hand_on_is_fetched_from_s3(bench: Bench) -> None:
    job = submitted(bench)
    bench.write(f"{PREFIX}outputs/{job}", b"x" * ((4 << 20) + 1), ContentType="text/plain")
    assert read(bench, job)["result_url"] == f"/jobs/{job}/result"
    answer = bench.ask("GET", f"/jobs/{job}/result")
    assert answer["statusCode"] == 303
    with urllib.request.urlopen(answer["headers"]["location"]) as fetched:
        assert len(fetched.read()) == (4 << 20) + 1


def test_the_job_of_an_upload_is_nobodys_to_read_or_to_cancel(bench: Bench) -> None:
    bench.write("in/page.json", b"1", bucket="uploads-in")
    bench.uploads.take(event(bench, "uploads-in", "in/page.json"))
    (asked,) = bench.endpoint.waiting()
    for method, path in (("DELETE", ""), ("GET", ""), ("GET", "/result")):
        assert bench.ask(method, f"/jobs/{asked.id}{path}")["statusCode"] == 404
    bench.write(f"{PREFIX}outputs/{asked.id}", b"2", ContentType="application/json")
    bench.uploads.take(event(bench, JOBS, f"{PREFIX}outputs/{asked.id}"))
    assert bench.listed("results") == ["text/in/page.json.json"]


@pytest.mark.parametrize("accepted_first", [True, False])
def test_a_submit_that_is_refused_leaves_the_input_of_an_accepted_one_of_its_key(
    bench: Bench, *, accepted_first: bool
) -> None:
    """Two submits of one key at once: the second comes while the first is at SageMaker."""
    second: list[Reply] = []
    refusing = Endpoint(bench.runtime, "nobody")
    first_endpoint, second_endpoint = (
        (bench.jobs.endpoint, refusing) if accepted_first else (refusing, bench.jobs.endpoint)
    )

    class Meanwhile(Endpoint):
        def send(self, call: Call) -> tuple[str, str]:
            other = replace(bench.jobs, endpoint=second_endpoint)
            second.append(answered(url_event("POST", "/jobs", BODY, **KEY), other.answer))
            return first_endpoint.send(call)

    jobs = replace(bench.jobs, endpoint=Meanwhile(bench.runtime, NAME))
    first = answered(url_event("POST", "/jobs", BODY, **KEY), jobs.answer)
    statuses = [first["statusCode"], second[0]["statusCode"]]
    assert statuses == ([202, 503] if accepted_first else [503, 202])
    (asked,) = bench.endpoint.waiting()
    assert f"{PREFIX}inputs/{asked.id}" in bench.listed()
    assert read(bench, asked.id)["status"] == "queued"


def test_a_request_that_sagemaker_finds_wrong_is_not_told_to_come_again(bench: Bench) -> None:
    """The endpoint of the tests takes no call without an input, which stands for whatever AWS refuses."""

    class Emptied(Endpoint):
        def send(self, call: Call) -> tuple[str, str]:
            self.client.invoke_endpoint_async(EndpointName=self.name)
            raise AssertionError("it was taken")

    jobs = replace(bench.jobs, endpoint=Emptied(bench.runtime, NAME))
    answer = answered(url_event("POST", "/jobs", BODY), jobs.answer)
    assert (answer["statusCode"], "retry-after" in answer["headers"]) == (400, False)
    assert "mutually exclusive" in json_of(answer)["detail"]
    assert bench.listed() == []


def test_what_the_endpoint_does_not_take_leaves_nothing(bench: Bench) -> None:
    gone = replace(bench.jobs, endpoint=Endpoint(bench.runtime, "nobody"))
    answer = answered(url_event("POST", "/jobs", BODY), gone.answer)
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "5")
    assert "ValidationError" in json_of(answer)["detail"]
    assert bench.listed() == []


@pytest.mark.parametrize(
    ("status", "method", "path", "headers"),
    [
        (404, "GET", f"/jobs/{'0' * 32}", {}),
        (404, "GET", "/jobs/../records", {}),
        (404, "GET", "/elsewhere", {}),
        (405, "GET", "/jobs", {}),
        (405, "PUT", f"/jobs/{'0' * 32}", {}),
        (501, "POST", "/invocations", {}),
        (501, "POST", "/jobs", {"x_preheat_webhook": "https://example.com"}),
        (400, "POST", "/jobs", {"idempotency_key": "two words"}),
        (400, "POST", "/jobs", {"x_preheat_ttl_s": "soon"}),
    ],
)
def test_what_is_not_offered_says_so(
    bench: Bench, status: int, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = bench.ask(method, path, **headers)
    assert (answer["statusCode"], json_of(answer)["status"]) == (status, status)
    assert bench.endpoint.backlog == 0


def test_jobs_want_the_token_and_what_says_how_to_call_does_not(bench: Bench) -> None:
    closed = bench.protected(hashlib.sha256(b"s3cret").hexdigest())
    for method, path in (("POST", "/jobs"), ("GET", f"/jobs/{'0' * 32}"), ("POST", "/invocations")):
        assert closed.ask(method, path, BODY)["statusCode"] == 401
    assert closed.ask("POST", "/jobs", BODY, authorization="Bearer s3cret")["statusCode"] == 202
    assert json_of(closed.ask("GET", "/schema")) == {"title": "Model"}
    assert closed.ask("GET", "/ping")["statusCode"] == 200
