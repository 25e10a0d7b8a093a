import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.fakes.asgi import Exchange
from tests.fakes.engine import FakeEngine, Stalled, Stream, echo
from tests.fakes.surface import TOKEN, client, only_token, surface

from preheat.errors import Overloaded
from preheat.interface.manifest import Limits
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.metrics import Metrics

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/invocations", "/predict"])
async def test_an_answer_goes_out_byte_for_byte(path: str) -> None:
    body = b'{"a": 1.0, "b":\t[1e2]}'
    async with client(surface()) as caller:
        answer = await caller.post(path, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["content-type"] == "application/json"


async def test_the_engine_gets_media_types_and_only_documented_headers() -> None:
    engine = FakeEngine()
    sent = {
        "content-type": "image/png",
        "accept": "application/json",
        "traceparent": "00-1-2-01",
        "x-amzn-sagemaker-custom-attributes": "a=b",
        "x-amzn-sagemaker-inference-id": "job-1",
        "x-amzn-sagemaker-other": "c",
        "x-preheat-tenant": "blue",
        "x-preheat-timeout-s": "2.5",
        "cookie": "secret",
        "authorization": "Bearer x",
    }
    async with client(surface(engine)) as caller:
        await caller.post("/invocations", content=b"\x89PNG", headers=sent)
    [request] = engine.requests
    assert (request.body, request.content_type, request.accept) == (
        b"\x89PNG",
        "image/png",
        "application/json",
    )
    assert request.timeout_s == 2.5
    assert dict(request.headers) == {
        "traceparent": "00-1-2-01",
        "x-amzn-sagemaker-custom-attributes": "a=b",
        "x-amzn-sagemaker-inference-id": "job-1",
        "x-preheat-tenant": "blue",
    }


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        ({"x-amzn-sagemaker-inference-id": "job-1"}, "job-1"),
        ({"x-amzn-sagemaker-inference-id": "job-1", "x-request-id": "r1"}, "r1"),
    ],
)
async def test_sagemakers_name_of_a_request_is_its_id_where_it_has_no_other(
    sent: dict[str, str], known: str
) -> None:
    engine = FakeEngine()
    async with client(surface(engine)) as caller:
        answer = await caller.post("/invocations", headers=sent)
    assert engine.requests[0].id == answer.headers["x-request-id"] == known


@pytest.mark.parametrize(("asked", "given"), [(None, 9.0), ("4", 4.0), ("600", 9.0)])
async def test_a_caller_may_shorten_the_time_limit_only(asked: str | None, given: float) -> None:
    engine = FakeEngine()
    async with client(surface(engine)) as caller:
        await caller.post("/invocations", headers={"x-preheat-timeout-s": asked} if asked else {})
    assert engine.requests[0].timeout_s == given


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "soon", "", "5e-324", "0.0009", "1_0", "1e999"])
async def test_a_time_limit_that_is_no_time_is_refused(value: str) -> None:
    async with client(surface()) as caller:
        answer = await caller.post("/invocations", headers={"x-preheat-timeout-s": value})
    assert answer.status_code == 400
    assert "x-preheat-timeout-s" in answer.json()["detail"]


async def test_a_good_request_id_is_kept_and_another_is_replaced() -> None:
    engine = FakeEngine()
    async with client(surface(engine)) as caller:
        kept = await caller.post("/invocations", headers={"x-request-id": "trace-7/a"})
        long = await caller.post("/invocations", headers={"x-request-id": "x" * 129})
        odd = await caller.post("/invocations", headers={"x-request-id": 'a"b'})
    assert kept.headers["x-request-id"] == engine.requests[0].id == "trace-7/a"
    made = {long.headers["x-request-id"], odd.headers["x-request-id"]}
    assert len(made) == 2
    assert all(len(one) == 32 for one in made)


async def test_headers_of_the_answer_pass_but_its_framing_does_not() -> None:
    async def answer(request: Request) -> Response:
        headers = {"x-preheat-start": "cold", "Content-Length": "999", "connection": "close"}
        return Response(body=b"1", headers=headers)

    async with client(surface(FakeEngine(answer))) as caller:
        got = await caller.post("/invocations")
    assert got.headers["x-preheat-start"] == "cold"
    assert got.headers["content-length"] == "1"
    assert "connection" not in got.headers


async def test_html_from_a_handler_cannot_act_as_a_page_of_this_origin() -> None:
    async def answer(request: Request) -> Response:
        return Response(content_type="text/html", body=b"<script>steal()</script>")

    async with client(surface(FakeEngine(answer))) as caller:
        got = await caller.post("/invocations")
    assert "sandbox" in got.headers["content-security-policy"]
    assert got.headers["x-content-type-options"] == "nosniff"


async def test_a_problem_of_the_engine_passes_with_its_retry_after() -> None:
    async def answer(request: Request) -> Response:
        return problem_response(Overloaded("The queue is full.", retry_after_s=1.2), request_id=request.id)

    async with client(surface(FakeEngine(answer))) as caller:
        got = await caller.post("/invocations", headers={"x-request-id": "r1"})
    assert (got.status_code, got.headers["retry-after"]) == (429, "2")
    assert got.headers["content-type"] == "application/problem+json"
    assert got.json()["instance"] == "urn:preheat:request:r1"


async def test_an_announced_body_over_the_limit_is_refused_before_any_of_it_is_read() -> None:
    exchange = Exchange(surface(), headers={"content-length": "1001"})
    await exchange.until_sent(1)
    assert exchange.status == 413
    assert exchange.headers["connection"] == "close"
    exchange.leave()
    await exchange.served()


async def test_a_body_over_the_limit_is_refused_at_the_first_byte_beyond_it() -> None:
    engine = FakeEngine()
    exchange = Exchange(surface(engine))
    exchange.body(b"x" * 600, more=True)
    exchange.body(b"x" * 401, more=True)
    await exchange.until_sent(2)
    assert (exchange.status, engine.requests) == (413, [])
    exchange.body(b"rest")
    await exchange.served()


async def test_a_body_of_exactly_the_limit_is_taken() -> None:
    async with client(surface()) as caller:
        assert (await caller.post("/invocations", content=b"x" * 1000)).status_code == 200


@pytest.mark.parametrize("length", ["9" * 5000, "-5", "1e3", "\xb2"])
async def test_a_length_that_is_no_number_of_bytes_is_no_failure_of_ours(length: str) -> None:
    exchange = Exchange(surface(), headers={"content-length": length})
    exchange.body(b"")
    await exchange.served()
    assert exchange.status in (400, 413)


async def test_a_compressed_body_is_refused_by_name() -> None:
    async with client(surface()) as caller:
        answer = await caller.post("/invocations", content=b"x", headers={"content-encoding": "gzip"})
    assert answer.status_code == 415
    assert "gzip" in answer.json()["detail"]


async def test_a_body_that_trickles_is_refused_after_its_deadline() -> None:
    exchange = Exchange(surface(body_s=0.05))
    exchange.body(b"{", more=True)
    await exchange.until_sent(1)
    assert exchange.status == 408
    exchange.leave()
    await exchange.served()


async def test_a_truncated_upload_never_reaches_the_engine() -> None:
    engine, metrics = FakeEngine(), Metrics()
    exchange = Exchange(surface(engine, metrics=metrics))
    exchange.body(b'{"text": "hal', more=True)
    exchange.leave()
    await exchange.served()
    assert (exchange.sent, engine.requests) == ([], [])
    assert b'outcome="cancelled",route="/invocations"} 1.0' in metrics.render()[1]


async def test_a_client_that_leaves_cancels_the_work() -> None:
    stalled, metrics = Stalled(), Metrics()
    exchange = Exchange(surface(FakeEngine(stalled), metrics=metrics))
    exchange.body(b"{}")
    await stalled.begun.wait()
    exchange.leave()
    await exchange.served()
    assert stalled.cancelled.is_set()
    assert exchange.sent == []
    assert b'outcome="cancelled",route="/invocations"} 1.0' in metrics.render()[1]


async def test_the_servers_own_cancellation_is_not_taken_for_a_client_that_left() -> None:
    stalled = Stalled()
    exchange = Exchange(surface(FakeEngine(stalled)))
    exchange.body(b"{}")
    await stalled.begun.wait()
    exchange.stop()
    with pytest.raises(asyncio.CancelledError):
        await exchange.served()
    assert stalled.cancelled.is_set()


async def test_a_stream_arrives_chunk_by_chunk_and_stops_when_the_client_leaves() -> None:
    stream = Stream()
    exchange = Exchange(surface(FakeEngine(stream)))
    exchange.body(b"{}")
    await exchange.until_sent(4)
    exchange.leave()
    await exchange.served()
    assert stream.closed.is_set()
    assert exchange.answer.startswith(b"data: 1\n\ndata: 2\n\n")
    assert exchange.headers["content-type"] == "text/event-stream"
    assert exchange.headers["cache-control"] == "no-store"
    assert "content-length" not in exchange.headers


async def test_a_stream_waits_for_a_client_that_does_not_read() -> None:
    stream = Stream()
    exchange = Exchange(surface(FakeEngine(stream)))
    exchange.body(b"{}")
    await exchange.until_sent(3)
    exchange.taking.clear()
    sent = len(exchange.sent)
    await asyncio.sleep(0.05)
    assert stream.made <= sent + 1
    exchange.leave()
    await exchange.served()
    assert stream.closed.is_set()


async def test_a_finished_stream_ends_the_answer() -> None:
    async def answer(request: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"a"
            yield b"b"

        return Response(chunks=chunks(), content_type="application/jsonl")

    async with client(surface(FakeEngine(answer))) as caller:
        assert (await caller.post("/invocations")).content == b"ab"


async def test_a_stream_that_fails_midway_is_cut_and_logged_with_its_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def answer(request: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"a"
            raise OSError("gone")

        return Response(chunks=chunks())

    exchange = Exchange(surface(FakeEngine(answer)), headers={"x-request-id": "r9"})
    exchange.body(b"{}")
    await exchange.served()
    assert exchange.answer == b"a"
    assert exchange.sent[-1]["more_body"] is True
    assert caplog.records[0].__dict__["request_id"] == "r9"


async def test_without_a_token_the_body_is_not_even_read() -> None:
    engine = FakeEngine()
    exchange = Exchange(surface(engine, authenticate=only_token))
    await exchange.until_sent(2)
    assert (exchange.status, exchange.headers["www-authenticate"]) == (401, "Bearer")
    exchange.leave()
    await exchange.served()
    assert engine.requests == []


async def test_the_right_token_opens_the_endpoint() -> None:
    async with client(surface(authenticate=only_token)) as caller:
        answer = await caller.post("/invocations", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200


async def test_limits_are_those_given() -> None:
    async with client(surface(limits=Limits(body_bytes=2))) as caller:
        assert (await caller.post("/invocations", content=b"abc")).status_code == 413


async def test_requests_share_nothing_but_the_engine() -> None:
    gate = asyncio.Event()

    async def answer(request: Request) -> Response:
        if request.body == b"slow":
            await gate.wait()
        return await echo(request)

    async with client(surface(FakeEngine(answer))) as caller:
        slow = asyncio.ensure_future(caller.post("/invocations", content=b"slow"))
        assert (await caller.post("/invocations", content=b"fast")).content == b"fast"
        gate.set()
        assert (await slow).content == b"slow"
