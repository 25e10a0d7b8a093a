"""What an operator sees of a request: one line, whatever became of it, and the spans that belong to it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from opentelemetry.trace import StatusCode
from tests.fakes.asgi import Exchange
from tests.fakes.engine import FakeEngine, Stalled, Stream, echo
from tests.fakes.surface import TOKEN, client, only_token, surface
from tests.fakes.telemetry import CALLER, TRACE, TRACEPARENT, Told, parent_id, span_id

from preheat.interface.message import Request, Response
from preheat.runtime.metrics import Metrics

pytestmark = pytest.mark.anyio


async def measured(request: Request) -> Response:
    headers = {"x-preheat-start": "cold", "x-preheat-release": "7"}
    return Response(body=b"[1]", headers=headers, queue_ms=40.0, model_ms=10.0, batch_size=3)


async def test_a_request_has_one_line() -> None:
    told = Told()
    app = surface(FakeEngine(measured), access=told.access)
    async with client(app) as caller:
        await caller.post("/predict?secret=1", content=b"12345", headers={"x-request-id": "r1"})
    [line] = told.lines()
    assert line["message"] == "POST /predict 200"
    facts = ("request_id", "route", "path", "outcome", "bytes_in", "bytes_out")
    assert [line[fact] for fact in facts] == ["r1", "/invocations", "/predict", "ok", 5, 3]
    measures = ("queue_ms", "model_ms", "batch_size", "cold", "release")
    assert [line[measure] for measure in measures] == [40.0, 10.0, 3, True, "7"]
    assert line["total_ms"] > 0


async def test_no_header_token_query_or_body_is_in_a_line() -> None:
    told = Told()
    async with client(surface(access=told.access, authenticate=only_token)) as caller:
        await caller.post("/invocations?hunter=2", content=b"hunter", headers={"cookie": "hunter"})
        await caller.post("/invocations", headers={"authorization": f"Bearer {TOKEN}"}, content=b"hunter")
    lines = told.lines()
    assert [(line["status"], line["outcome"]) for line in lines] == [(401, "rejected"), (200, "ok")]
    text = b"".join(told.sink.written)
    assert b"hunter" not in text
    assert TOKEN.encode() not in text


async def test_what_is_no_route_has_a_line_too() -> None:
    told = Told()
    async with client(surface(access=told.access)) as caller:
        answer = await caller.get("/invocation")
    [line] = told.lines()
    assert (line["status"], line["route"], line["path"]) == (404, None, "/invocation")
    assert line["bytes_out"] == len(answer.content)


async def test_a_health_check_has_a_line_only_when_it_is_bad() -> None:
    told = Told()
    engine = FakeEngine(ready=True)
    async with client(surface(engine, access=told.access)) as caller:
        for path in ("/ping", "/readyz", "/healthz", "/v2/health/live"):
            assert (await caller.get(path)).status_code == 200
        engine.ready = False
        await caller.get("/readyz")
    [line] = told.lines()
    assert (line["path"], line["status"]) == ("/readyz", 503)


async def test_a_client_that_left_is_a_cancelled_line_without_a_status() -> None:
    stalled, told = Stalled(), Told()
    exchange = Exchange(surface(FakeEngine(stalled), access=told.access, tracing=told.tracing))
    exchange.body(b"{}")
    await stalled.begun.wait()
    exchange.leave()
    await exchange.served()
    [line] = told.lines()
    assert (line["status"], line["outcome"]) == (None, "cancelled")
    span = told.spans()["POST /invocations"]
    assert span.status.status_code is StatusCode.UNSET


async def test_a_client_that_left_a_stream_is_cancelled_though_a_status_was_sent() -> None:
    told = Told()
    exchange = Exchange(surface(FakeEngine(Stream()), access=told.access))
    exchange.body(b"{}")
    await exchange.until_sent(3)
    exchange.leave()
    await exchange.served()
    assert [(line["status"], line["outcome"]) for line in told.lines()] == [(200, "cancelled")]


async def test_the_servers_own_cancellation_still_has_a_line() -> None:
    stalled, told = Stalled(), Told()
    exchange = Exchange(surface(FakeEngine(stalled), access=told.access))
    exchange.body(b"{}")
    await stalled.begun.wait()
    exchange.stop()
    with pytest.raises(asyncio.CancelledError):
        await exchange.served()
    assert [line["outcome"] for line in told.lines()] == ["cancelled"]


async def test_a_stream_that_breaks_off_has_failed_whatever_status_was_sent() -> None:
    async def answer(request: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"abc"
            raise OSError("gone")

        return Response(chunks=chunks(), model_ms=1.0)

    told, metrics = Told(), Metrics()
    app = surface(FakeEngine(answer), access=told.access, tracing=told.tracing, metrics=metrics)
    exchange = Exchange(app)
    exchange.body(b"{}")
    await exchange.served()
    [line] = told.lines()
    assert (line["status"], line["outcome"], line["bytes_out"]) == (200, "failed", 3)
    assert b'preheat_requests_total{outcome="failed",route="/invocations"} 1.0' in metrics.render()[1]
    span = told.spans()["POST /invocations"]
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "incomplete_answer"


async def test_a_request_is_a_span_below_its_callers_and_its_times_are_spans_below_it() -> None:
    told = Told()
    async with client(surface(FakeEngine(measured), tracing=told.tracing)) as caller:
        headers = {"traceparent": TRACEPARENT, "tracestate": "vendor=1", "x-request-id": "r1"}
        await caller.post("/predict", headers=headers)
    spans = told.spans()
    server, queue, predict = spans["POST /invocations"], spans["queue"], spans["predict"]
    assert parent_id(server) == CALLER
    assert parent_id(queue) == parent_id(predict) == span_id(server)
    assert {f"{span.context.trace_id:032x}" for span in spans.values() if span.context} == {TRACE}
    assert server.context is not None
    assert server.context.trace_state.get("vendor") == "1"
    assert dict(server.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/invocations",
        "http.response.status_code": 200,
        "url.path": "/predict",
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "preheat.request_id": "r1",
        "preheat.outcome": "ok",
        "preheat.cold": True,
        "preheat.release": "7",
    }
    assert dict(predict.attributes or {}) == {"preheat.batch_size": 3}
    assert queue.end_time == predict.start_time
    assert queue.start_time is not None
    assert queue.end_time is not None
    assert queue.end_time - queue.start_time == 40_000_000


async def test_the_engine_gets_the_servers_span_as_the_parent() -> None:
    told, engine = Told(), FakeEngine()
    async with client(surface(engine, tracing=told.tracing, access=told.access)) as caller:
        await caller.post("/invocations", headers={"traceparent": TRACEPARENT, "tracestate": "vendor=1"})
    server = told.spans()["POST /invocations"]
    headers = engine.requests[0].headers
    assert headers["traceparent"] == f"00-{TRACE}-{span_id(server)}-01"
    assert headers["tracestate"] == "vendor=1"
    assert told.lines()[0]["trace_id"] == TRACE


async def test_without_traces_the_callers_context_passes_untouched_and_is_in_the_line() -> None:
    told, engine = Told(), FakeEngine()
    async with client(surface(engine, access=told.access)) as caller:
        await caller.post("/invocations", headers={"traceparent": TRACEPARENT})
    assert engine.requests[0].headers["traceparent"] == TRACEPARENT
    assert told.lines()[0]["trace_id"] == TRACE
    assert told.spans() == {}


@pytest.mark.parametrize("odd", ["", "hello", "00-0-0-00", f"{TRACEPARENT}, {TRACEPARENT}"])
async def test_a_traceparent_that_is_none_begins_a_new_trace(odd: str) -> None:
    told = Told()
    async with client(surface(FakeEngine(echo), tracing=told.tracing)) as caller:
        assert (await caller.post("/invocations", headers={"traceparent": odd})).status_code == 200
    assert told.spans()["POST /invocations"].parent is None


async def test_a_refusal_is_a_span_that_is_no_error_and_has_no_predict() -> None:
    told = Told()
    async with client(surface(tracing=told.tracing, authenticate=only_token)) as caller:
        await caller.post("/invocations")
    spans = told.spans()
    assert set(spans) == {"POST /invocations"}
    [server] = spans.values()
    assert server.status.status_code is StatusCode.UNSET
    assert (server.attributes or {})["http.response.status_code"] == 401


async def test_a_failure_is_an_error_of_its_span_with_its_status() -> None:
    async def broken(request: Request) -> Response:
        raise LookupError("the password is hunter2")

    told = Told()
    async with client(surface(FakeEngine(broken), tracing=told.tracing)) as caller:
        await caller.post("/invocations")
    server = told.spans()["POST /invocations"]
    assert server.status.status_code is StatusCode.ERROR
    assert (server.attributes or {})["error.type"] == "500"
    assert "hunter2" not in server.to_json()


async def test_health_checks_and_pages_are_not_traced() -> None:
    told = Told()
    async with client(surface(tracing=told.tracing)) as caller:
        for path in ("/ping", "/docs", "/metrics", "/nowhere"):
            await caller.get(path)
    assert told.spans() == {}
