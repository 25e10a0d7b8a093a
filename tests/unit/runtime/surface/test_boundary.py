import json
import logging

import pytest
from tests.fakes.asgi import Exchange
from tests.fakes.engine import FakeEngine
from tests.fakes.surface import client, surface

from preheat.interface.message import Request, Response

pytestmark = pytest.mark.anyio


async def broken(request: Request) -> Response:
    raise LookupError("the password is hunter2")


async def test_a_failure_inside_is_logged_in_full_and_told_without_internals(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        async with client(surface(FakeEngine(broken))) as caller:
            answer = await caller.post("/invocations", headers={"x-request-id": "r5"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["instance"] == "urn:preheat:request:r5"
    assert "hunter2" not in answer.text
    [record] = caplog.records
    assert record.__dict__["request_id"] == "r5"
    assert record.exc_info is not None
    assert "hunter2" in str(record.exc_info[1])


async def test_an_unknown_path_says_where_to_go() -> None:
    async with client(surface()) as caller:
        answer = await caller.get("/invocation")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "/invocations" in answer.json()["detail"]
    assert answer.json()["title"] == "Not Found"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/invocations", "POST"),
        ("PUT", "/predict", "POST"),
        ("GET", "/jobs", "POST"),
        ("POST", "/jobs/1", "DELETE, GET"),
        ("POST", "/ping", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_every_right_one(method: str, path: str, allow: str) -> None:
    async with client(surface()) as caller:
        answer = await caller.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    assert answer.json()["status"] == 405


async def test_a_trailing_slash_is_another_path_and_not_a_redirect() -> None:
    async with client(surface()) as caller:
        assert (await caller.post("/invocations/")).status_code == 404


async def test_half_a_surrogate_pair_in_a_message_is_still_json() -> None:
    exchange = Exchange(surface(), path="/nowhere")
    exchange.body(b"")
    await exchange.served()
    assert json.loads(exchange.answer)["status"] == 404
