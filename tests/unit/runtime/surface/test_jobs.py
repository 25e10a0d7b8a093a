import json

import pytest
from tests.fakes.jobs import MemoryJobs
from tests.fakes.surface import TOKEN, client, only_token, surface

from preheat.errors import HandlerFailed
from preheat.interface.message import Response
from preheat.interface.problem import problem_response

pytestmark = pytest.mark.anyio

ROUTES = [("POST", "/jobs"), ("GET", "/jobs/1"), ("DELETE", "/jobs/1"), ("GET", "/jobs/1/result")]


async def test_a_job_is_recorded_and_found_at_its_location() -> None:
    jobs = MemoryJobs()
    async with client(surface(jobs=jobs)) as caller:
        made = await caller.post("/jobs", json={"text": "hi"}, headers={"x-preheat-ttl-s": "60"})
        found = await caller.get(made.headers["location"])
    assert (made.status_code, made.headers["location"]) == (202, "/jobs/job-1")
    assert made.json() == found.json()
    assert found.json() == {
        "id": "job-1",
        "status": "queued",
        "created": "2023-11-14T22:13:20.000Z",
        "started": None,
        "finished": None,
        "expires": "2023-11-14T22:14:20.000Z",
        "attempts": 0,
    }
    request, webhook, ttl_s = jobs.submitted["job-1"]
    assert (json.loads(request.body), webhook, ttl_s) == ({"text": "hi"}, None, 60)


async def test_the_same_key_and_request_make_one_job_and_another_request_conflicts() -> None:
    headers = {"idempotency-key": "order-1"}
    async with client(surface(jobs=MemoryJobs())) as caller:
        first = await caller.post("/jobs", content=b"1", headers=headers)
        again = await caller.post("/jobs", content=b"1", headers=headers)
        other = await caller.post("/jobs", content=b"2", headers=headers)
    assert [first.status_code, again.status_code, other.status_code] == [202, 200, 409]
    assert first.json() == again.json()
    assert other.headers["content-type"] == "application/problem+json"


async def test_a_json_answer_is_in_the_job_number_for_number() -> None:
    jobs = MemoryJobs()
    async with client(surface(jobs=jobs)) as caller:
        await caller.post("/jobs")
        jobs.finish("job-1", Response(body=b'{"v": [1.10, 1e999, "\\ud800"]}'))
        job = await caller.get("/jobs/job-1")
        result = await caller.get("/jobs/job-1/result")
    assert b'"result": {"v": [1.10, 1e999, "\\ud800"]}}' in job.content
    assert (job.json()["status"], job.json()["finished"]) == ("succeeded", "2023-11-14T22:13:22.500Z")
    assert result.content == b'{"v": [1.10, 1e999, "\\ud800"]}'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("image/png", b"\x89PNG"),
        ("application/json", b"not json"),
        ("application/json", b'"\xff"'),
        ("application/json", b"NaN"),
        ("application/json", b"[" * 100_000),
    ],
)
async def test_any_other_answer_is_behind_a_link(content_type: str, body: bytes) -> None:
    jobs = MemoryJobs()
    async with client(surface(jobs=jobs)) as caller:
        await caller.post("/jobs")
        jobs.finish("job-1", Response(body=body, content_type=content_type))
        job = (await caller.get("/jobs/job-1")).json()
        result = await caller.get(job["result_url"])
    assert "result" not in job
    assert (result.content, result.headers["content-type"]) == (body, content_type)


async def test_a_failed_job_shows_its_problem_and_its_result_fails_as_it_did() -> None:
    jobs = MemoryJobs()
    async with client(surface(jobs=jobs)) as caller:
        await caller.post("/jobs")
        jobs.finish("job-1", problem_response(HandlerFailed("predict failed")))
        job = (await caller.get("/jobs/job-1")).json()
        result = await caller.get("/jobs/job-1/result")
    assert (job["status"], job["error"]["detail"]) == ("failed", "predict failed")
    assert (result.status_code, result.json()) == (500, job["error"])


async def test_a_job_without_a_result_says_what_it_is() -> None:
    async with client(surface(jobs=MemoryJobs())) as caller:
        await caller.post("/jobs")
        early = await caller.get("/jobs/job-1/result")
        cancelled = await caller.delete("/jobs/job-1")
        late = await caller.get("/jobs/job-1/result")
    assert (early.status_code, early.headers["retry-after"]) == (409, "1")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert "retry-after" not in late.headers
    assert "cancelled" in late.json()["detail"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("idempotency-key", "two words"),
        ("idempotency-key", "x" * 256),
        ("x-preheat-webhook", "ftp://host/x"),
        ("x-preheat-webhook", "https://"),
        ("x-preheat-webhook", "http://[::1"),
        ("x-preheat-ttl-s", "-1"),
        ("x-preheat-ttl-s", "1e12"),
    ],
)
async def test_a_malformed_header_is_named(header: str, value: str) -> None:
    async with client(surface(jobs=MemoryJobs())) as caller:
        answer = await caller.post("/jobs", headers={header: value})
    assert answer.status_code == 400
    assert header in answer.json()["detail"]


async def test_a_webhook_goes_to_the_queue_and_not_to_the_handler() -> None:
    jobs = MemoryJobs()
    async with client(surface(jobs=jobs)) as caller:
        await caller.post("/jobs", headers={"x-preheat-webhook": "https://example.com/hook"})
    request, webhook, _ = jobs.submitted["job-1"]
    assert (webhook, dict(request.headers)) == ("https://example.com/hook", {})


async def test_jobs_take_the_same_body_limit() -> None:
    async with client(surface(jobs=MemoryJobs())) as caller:
        assert (await caller.post("/jobs", content=b"x" * 1001)).status_code == 413


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_a_queue_every_route_says_so(method: str, path: str) -> None:
    async with client(surface(jobs=None)) as caller:
        answer = await caller.request(method, path)
    assert (answer.status_code, answer.json()["title"]) == (501, "Not Implemented")


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_route_wants_the_token(method: str, path: str) -> None:
    async with client(surface(jobs=MemoryJobs(), authenticate=only_token)) as caller:
        without = await caller.request(method, path)
        with_it = await caller.request(method, path, headers={"authorization": f"Bearer {TOKEN}"})
    assert without.status_code == 401
    assert with_it.status_code in (202, 404)
