"""Both faces of the client over httpx's own seam, with a clock that only sleeping moves."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.fakes.remote import Remote, busy, ok

from preheat.client import AsyncClient, Client, connect
from preheat.errors import (
    BadInput,
    Conflicting,
    DeadlineExceeded,
    HandlerFailed,
    NotOffered,
    PreheatError,
    WorkerDied,
)
from preheat.interface.media import File


@dataclass(frozen=True)
class Word:
    text: str


def test_the_contract_is_read_once() -> None:
    remote = Remote(ok(1), ok(2))
    client = remote.client
    assert [client.predict({"text": "a"}), client.predict({"text": "b"})] == [1, 2]
    assert remote.schemas == 1


def test_dataclasses_go_in_and_come_out_as_the_codec_says() -> None:
    remote = Remote(ok({"text": "b"}))
    assert remote.client.predict(Word("a"), into=Word) == Word("b")
    assert json.loads(remote.seen[0].content) == {"text": "a"}
    assert remote.seen[0].headers["accept"] == "application/json"


def test_an_answer_that_does_not_fit_into_is_said_with_its_place() -> None:
    with pytest.raises(HandlerFailed, match="does not fit Word at /text"):
        Remote(ok({"text": 3})).client.predict("x", into=Word)


def test_a_raw_answer_is_a_file() -> None:
    remote = Remote(httpx.Response(200, content=b"out", headers={"content-type": "image/png"}))
    assert remote.client.predict("x") == File(b"out", "image/png")


def test_what_has_no_json_form_is_refused_before_anything_is_sent() -> None:
    remote = Remote()
    with pytest.raises(BadInput, match="cannot be written as JSON"):
        remote.client.predict(object())
    assert remote.seen == []


def test_a_problem_becomes_its_error_with_pointers_and_request_id() -> None:
    problem = {"detail": "no", "status": 400, "errors": [{"pointer": "/text", "detail": "missing"}]}
    remote = Remote(httpx.Response(400, json=problem, headers={"x-request-id": "r1"}))
    with pytest.raises(BadInput, match="no") as caught:
        remote.client.predict({})
    assert caught.value.errors == (("/text", "missing"),)
    assert caught.value.request_id == "r1"


class Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body whose connection is lost after its chunks."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self.chunks
        raise httpx.RemoteProtocolError("peer closed")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk
        raise httpx.RemoteProtocolError("peer closed")


ERROR = b'{"error": {"type": "about:blank", "title": "x", "status": 504, "detail": "too late"}}\n'


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (httpx.ByteStream(b'1\n{"error": 2}\n' + ERROR), DeadlineExceeded),
        (Broken(b"1\n", b'{"error"', b": 2}\n" + ERROR), DeadlineExceeded),
        (Broken(b'1\n{"error": 2}\n'), WorkerDied),
        (httpx.ByteStream(b'1\n{"error": 2}\n[3'), WorkerDied),
    ],
)
def test_a_stream_gives_its_items_then_raises_what_ended_it(body: Any, error: type[Exception]) -> None:
    def remote() -> Remote:
        return Remote(httpx.Response(200, stream=body), stream=True)

    got: list[Any] = []

    def read(client: Client) -> None:
        for item in client.stream("x"):
            got.append(item)  # noqa: PERF402 - what came before the error is the point

    async def read_async(client: AsyncClient) -> None:
        async for item in client.stream("x"):
            got.append(item)  # noqa: PERF401 - what came before the error is the point

    with pytest.raises(error):
        read(remote().client)
    with pytest.raises(error):
        asyncio.run(read_async(remote().async_client))
    assert got == [1, {"error": 2}] * 2


def test_streaming_from_a_handler_that_answers_once_is_refused() -> None:
    with pytest.raises(NotOffered, match="use predict"):
        list(Remote().client.stream("x"))


def test_a_result_is_polled_for_with_growing_pauses_that_honour_retry_after() -> None:
    running = {"id": "j", "status": "running"}
    slow = httpx.Response(200, json=running, headers={"retry-after": "2"})
    remote = Remote(ok(running), ok(running), slow, ok(running | {"status": "succeeded", "result": 7}))
    assert remote.client.job("j").result() == 7
    assert remote.slept == [0.05, pytest.approx(0.075), 2.0]


def test_waiting_for_a_result_ends() -> None:
    def slowly(_request: httpx.Request) -> httpx.Response:
        remote.now += 0.1
        return ok({"id": "j", "status": "running"})

    remote = Remote(*[slowly for _ in range(50)])
    with pytest.raises(DeadlineExceeded, match="still running"):
        remote.client.job("j").result(timeout_s=5)
    assert 4.7 <= remote.now <= 5


def test_a_failed_job_raises_its_problem_and_a_cancelled_one_a_conflict() -> None:
    failed = {"id": "j", "status": "failed", "error": {"status": 500, "detail": "predict failed"}}
    remote = Remote(ok(failed), ok({"id": "j", "status": "cancelled"}))
    with pytest.raises(HandlerFailed, match="predict failed"):
        remote.client.job("j").result()
    with pytest.raises(Conflicting, match="cancelled"):
        remote.client.job("j").result()


def test_the_async_face_says_the_same() -> None:
    remote = Remote(
        busy(429, **{"retry-after": "1"}),
        ok(1),
        httpx.Response(202, json={"id": "j"}),
        ok({"id": "j", "status": "succeeded", "result_url": "http://elsewhere/steal"}),
        httpx.Response(200, content=b"raw", headers={"content-type": "application/octet-stream"}),
    )

    async def talk() -> list[Any]:
        async with remote.async_client as client:
            answer = await client.predict("x")
            job = await client.submit("y", idempotency_key="mine")
            return [answer, job.id, await job.result(into=bytes)]

    assert asyncio.run(talk()) == [1, "j", b"raw"]
    assert remote.seen[2].headers["idempotency-key"] == "mine"
    assert str(remote.seen[-1].url) == "http://remote/jobs/j/result"


def test_a_result_that_lies_elsewhere_is_fetched_there_without_the_token() -> None:
    done = ok({"id": "j", "status": "succeeded", "result_url": "/jobs/j/result"})
    away = httpx.Response(303, headers={"location": "https://store.example/o?signature=1"})
    there = httpx.Response(200, content=b"large", headers={"content-type": "application/octet-stream"})
    remote = Remote(done, away, there)
    http = httpx.Client(
        transport=httpx.MockTransport(remote),
        base_url="http://remote",
        headers={"authorization": "Bearer secret"},
    )
    assert Client(http, remote.endpoint, sleep=remote.sleep).job("j").result(into=bytes) == b"large"
    assert [str(each.url) for each in remote.seen[1:]] == [
        "http://remote/jobs/j/result",
        "https://store.example/o?signature=1",
    ]
    assert ["authorization" in each.headers for each in remote.seen] == [True, True, False]


def test_what_is_no_url_is_refused_with_one_that_is() -> None:
    with pytest.raises(PreheatError, match="no endpoint"):
        connect("localhost:80")


def test_the_schema_is_read_as_it_is_now() -> None:
    remote = Remote()
    client = remote.client
    assert client.schema()["title"] == "Echo"
    remote.contract = remote.contract | {"title": "Other"}
    assert client.schema()["title"] == "Other"


def test_an_input_that_fits_only_a_newer_contract_is_sent() -> None:
    remote = Remote(ok(1), ok(2), input={"type": "string"})
    client = remote.client
    client.predict("x")
    remote.contract = remote.contract | {"input": {"type": "integer"}}
    assert client.predict(3) == 2
    assert remote.schemas == 2


def test_an_input_that_does_not_fit_is_refused_before_anything_is_sent() -> None:
    remote = Remote(input={"type": "string"})
    with pytest.raises(BadInput, match="does not fit Echo: expected a string, got the integer 3"):
        remote.client.predict(3)
    assert (remote.seen, remote.schemas) == ([], 1)
