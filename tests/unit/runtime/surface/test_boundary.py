import json
import logging

import pytest
from tests.fakes.asgi import Exchange
from tests.fakes.engine import FakeEngine
from tests.fakes.surface import client, only_token, surface

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


async def test_a_refused_upload_is_read_to_its_end_behind_the_whole_answer() -> None:
    exchange = Exchange(surface(authenticate=only_token))
    await exchange.until_sent(2)
    assert exchange.status == 401
    assert len(exchange.answer) == int(exchange.headers["content-length"])
    assert "connection" not in exchange.headers, "the rest may come, and the next request behind it"
    assert exchange.sent[-1]["more_body"]
    exchange.body(b"1", more=True)
    exchange.body(b"2")
    await exchange.served()
    assert not exchange.sent[-1]["more_body"]


async def test_behind_a_body_that_was_read_nothing_is_waited_for() -> None:
    exchange = Exchange(surface(), headers={"x-preheat-timeout-s": "never"})
    exchange.body(b"1", more=True)
    exchange.body(b"2")
    await exchange.served()
    assert exchange.status == 400
    assert [message.get("more_body") for message in exchange.sent] == [None, False]
