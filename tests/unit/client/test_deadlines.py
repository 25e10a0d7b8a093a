"""Deadlines over real sockets: an answer that trickles in, stalls, or never begins."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.fakes.trickle import head, trickling

from preheat.client import connect, connect_async
from preheat.client.deadlines import Waits, deadline_transport
from preheat.errors import DeadlineExceeded

LIMIT_S = 0.6
GRACE_S = 10.0
LONG = b"1" * 10_000
SLOW = [
    pytest.param(head(b"application/json", len(LONG)), LONG, id="the body trickles in"),
    pytest.param(b"", head(b"application/json", 1) * 100, id="the head trickles in"),
    pytest.param(head(b"application/json", 9) + b"1", b"", id="the body stalls"),
    pytest.param(b"", b"", id="no answer"),
]
LINES = [
    pytest.param(head(b"application/x-ndjson", 999) + b"1\n2\n", b"", id="the stream stalls"),
    pytest.param(head(b"application/x-ndjson", 99_999) + b"1\n2\n", b"3" * 9_999, id="a line trickles in"),
]


@pytest.fixture
def in_time() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert LIMIT_S <= time.monotonic() - began < LIMIT_S + GRACE_S


@pytest.fixture(params=["sync", "async"])
def predict(request: pytest.FixtureRequest) -> Callable[[str], Any]:
    def synchronously(url: str) -> Any:
        with connect(url, timeout_s=LIMIT_S) as client:
            return client.predict("x")

    async def asynchronously(url: str) -> Any:
        async with connect_async(url, timeout_s=LIMIT_S) as client:
            return await client.predict("x")

    return synchronously if request.param == "sync" else lambda url: asyncio.run(asynchronously(url))


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize(("at_once", "slowly"), SLOW)
def test_an_answer_ends_at_the_deadline_however_it_comes(
    predict: Callable[[str], Any], at_once: bytes, slowly: bytes
) -> None:
    with trickling(at_once, slowly=slowly) as url, pytest.raises(DeadlineExceeded):
        predict(url)


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize(("at_once", "slowly"), LINES)
def test_a_stream_ends_at_the_deadline_after_the_items_before(at_once: bytes, slowly: bytes) -> None:
    with trickling(at_once, slowly=slowly) as url, connect(url, timeout_s=LIMIT_S) as client:
        stream = client.stream("x")
        assert [next(stream), next(stream)] == [1, 2]
        with pytest.raises(DeadlineExceeded, match="gave 2 items"):
            next(stream)


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize(("at_once", "slowly"), LINES)
def test_an_asynchronous_stream_ends_the_same_way(at_once: bytes, slowly: bytes) -> None:
    got: list[Any] = []

    async def read(url: str) -> None:
        async with connect_async(url, timeout_s=LIMIT_S) as client:
            async for item in client.stream("x"):
                got.append(item)  # noqa: PERF401 - what came before the error is the point

    with trickling(at_once, slowly=slowly) as url, pytest.raises(DeadlineExceeded, match="gave 2 items"):
        asyncio.run(read(url))
    assert got == [1, 2]


def test_a_job_is_waited_for_no_longer_than_asked_also_over_an_answer_that_trickles() -> None:
    with trickling(head(b"application/json", len(LONG)), slowly=LONG) as url, connect(url) as client:
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            client.job("j").result(timeout_s=LIMIT_S)
        assert time.monotonic() - began < LIMIT_S + GRACE_S


def test_a_call_between_two_items_does_not_move_the_deadline_of_the_stream() -> None:
    waits = Waits(lambda: 0.0)
    with waits.until(5.0):
        with waits.until(1.0):
            assert waits.bounded(None, TimeoutError) == 1.0
        assert waits.bounded(9.0, TimeoutError) == 5.0
        assert waits.bounded(2.0, TimeoutError) == 2.0
    assert waits.bounded(None, TimeoutError) is None
    with waits.until(0.0), pytest.raises(TimeoutError):
        waits.bounded(None, TimeoutError)


def test_the_environments_proxy_is_used_unless_it_exempts_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    trusted = httpx.create_ssl_context()
    with trickling(head(b"text/plain", 3) + b"hey", slowly=b"") as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("no_proxy", "exempt.example")
        through = deadline_transport("http://model.example", trusted, time.monotonic)
        with httpx.Client(transport=through) as http:
            assert http.get("http://model.example/x").text == "hey"
        past = deadline_transport("http://exempt.example", trusted, time.monotonic)
        with httpx.Client(transport=past) as http, pytest.raises(httpx.ConnectError):
            http.get("http://exempt.example:1/x")
