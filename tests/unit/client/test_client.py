"""Both faces of the client over httpx's own seam, with a clock that only sleeping moves."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.fakes.surface import CONTRACT

from preheat.client import AsyncClient, Client, Retries, connect
from preheat.client.endpoint import Endpoint
from preheat.errors import (
    BadInput,
    Conflicting,
    DeadlineExceeded,
    HandlerFailed,
    NotOffered,
    Overloaded,
    PreheatError,
    Unavailable,
    WorkerDied,
)
from preheat.interface.media import File

Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Remote:
    """Answers requests from a list, the contract aside, and remembers them; its clock moves by sleeping."""

    def __init__(self, *replies: Reply, **contract: Any) -> None:
        self.replies = list(replies)
        self.contract = CONTRACT | contract
        self.seen: list[httpx.Request] = []
        self.schemas = 0
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/schema":
            self.schemas += 1
            return httpx.Response(200, json=self.contract)
        self.seen.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx.Response) else reply(request)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(
            timeout_s=60.0,
            retries=Retries(),
            clock=lambda: self.now,
            jitter=lambda: 1.0,
            new_key=lambda: "fresh",
        )

    @property
    def client(self) -> Client:
        http = httpx.Client(transport=httpx.MockTransport(self), base_url="http://remote")
        return Client(http, self.endpoint, sleep=self.sleep)

    @property
    def async_client(self) -> AsyncClient:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self), base_url="http://remote")
        return AsyncClient(http, self.endpoint, sleep=self.sleep_async)


@dataclass(frozen=True)
class Word:
    text: str


def ok(value: Any) -> httpx.Response:
    return httpx.Response(200, json=value)


def busy(status: int = 429, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"detail": "busy", "status": status}, headers=headers)


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


def test_a_file_travels_raw_where_the_handler_takes_it_and_a_raw_answer_is_a_file() -> None:
    remote = Remote(
        httpx.Response(200, content=b"out", headers={"content-type": "image/png"}),
        input_media=["image/*", "application/json"],
    )
    assert remote.client.predict(File(b"in", "image/jpeg")) == File(b"out", "image/png")
    assert (remote.seen[0].headers["content-type"], remote.seen[0].content) == ("image/jpeg", b"in")


def test_a_file_with_a_name_or_of_json_travels_inside_json() -> None:
    remote = Remote(ok(1), ok(1), input_media=["*/*", "application/json"])
    for file in (File(b"in", "text/csv", "a.csv"), File(b"{}", "application/json")):
        remote.client.predict(file)
    sent = [json.loads(request.content) for request in remote.seen]
    assert [each["name"] for each in sent] == ["a.csv", None]


def test_what_has_no_json_form_is_refused_before_anything_is_sent() -> None:
    remote = Remote()
    with pytest.raises(BadInput, match="cannot be written as JSON"):
        remote.client.predict({"text": object()})
    assert remote.seen == []


@pytest.mark.parametrize("status", [429, 503])
def test_predict_waits_for_retry_after_and_sends_again(status: int) -> None:
    remote = Remote(busy(status, **{"retry-after": "3"}), ok("done"))
    assert remote.client.predict("x") == "done"
    assert remote.slept == [3.0]


@pytest.mark.parametrize("reply", [busy(502), busy(503), httpx.ReadError("reset")])
def test_predict_is_not_repeated_where_it_may_have_run(reply: Reply) -> None:
    remote = Remote(reply)
    with pytest.raises((WorkerDied, Unavailable)):
        remote.client.predict("x")
    assert len(remote.seen) == 1


def test_a_connection_that_was_never_made_is_tried_again_with_back_off_and_a_bound() -> None:
    remote = Remote(*[httpx.ConnectError("refused") for _ in range(5)])
    with pytest.raises(Unavailable, match="refused"):
        remote.client.predict("x")
    assert remote.slept == [0.25, 0.5, 1.0, 2.0]


def test_a_retry_that_would_pass_the_deadline_is_not_waited_for() -> None:
    remote = Remote(busy(429, **{"retry-after": "61"}))
    with pytest.raises(Overloaded) as caught:
        remote.client.predict("x")
    assert caught.value.retry_after_s == 61
    assert remote.slept == []


def test_a_date_in_retry_after_counts_from_the_answers_own_date() -> None:
    dates = {"retry-after": "Sat, 21 Nov 2026 05:00:09 GMT", "date": "Sat, 21 Nov 2026 05:00:02 GMT"}
    remote = Remote(busy(429, **dates), ok(1))
    assert remote.client.predict("x") == 1
    assert remote.slept == [7.0]


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


def test_a_submit_that_broke_is_repeated_with_the_same_key() -> None:
    remote = Remote(httpx.ReadError("reset"), httpx.Response(202, json={"id": "j", "status": "queued"}))
    assert remote.client.submit("x", ttl_s=9).id == "j"
    assert [request.headers["idempotency-key"] for request in remote.seen] == ["fresh", "fresh"]
    assert remote.seen[0].headers["x-preheat-ttl-s"] == "9"


def test_a_result_is_polled_for_with_growing_pauses_that_honour_retry_after() -> None:
    running = {"id": "j", "status": "running"}
    slow = httpx.Response(200, json=running, headers={"retry-after": "2"})
    remote = Remote(ok(running), ok(running), slow, ok(running | {"status": "succeeded", "result": 7}))
    assert remote.client.job("j").result() == 7
    assert remote.slept == [0.05, pytest.approx(0.075), 2.0]


def test_waiting_for_a_result_ends() -> None:
    remote = Remote(*[ok({"id": "j", "status": "running"}) for _ in range(50)])
    with pytest.raises(DeadlineExceeded, match="still running"):
        remote.client.job("j").result(timeout_s=5)
    assert remote.now == pytest.approx(5)


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


def test_what_is_no_url_is_refused_with_one_that_is() -> None:
    with pytest.raises(PreheatError, match="no endpoint"):
        connect("localhost:80")


def test_without_httpx_the_install_line_is_said() -> None:
    script = "import sys; sys.modules['httpx'] = None; import preheat.client"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "pip install 'preheat[client]'" in done.stderr
