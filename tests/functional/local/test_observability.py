"""What an operator gets of real requests: a line in the access log, spans at a collector."""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.fakes.collector import Collector
from tests.fakes.local import Local, get
from tests.fakes.patience import PATIENCE_S
from tests.fakes.telemetry import CALLER, TRACE, TRACEPARENT

pytestmark = pytest.mark.runtime


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector().serving() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        yield collector


def call(local: Local, text: str, **headers: str) -> Mapping[str, str]:
    """POST to the endpoint and return the answer's headers."""
    endpoint = local.provider.deployment("demo", "dev").endpoint
    request = urllib.request.Request(
        f"{endpoint}/invocations", json.dumps(text).encode(), {"content-type": "application/json", **headers}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        assert json.load(answer) == text.upper()
        return dict(answer.headers)


def access_lines(local: Local) -> list[dict[str, Any]]:
    """Stop the supervisor, which flushes, and return the access log."""
    local.client.shut_down()
    path = local.client.paths.access("demo@dev")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_request_leaves_a_line_in_the_access_log_and_destroy_removes_it(local: Local) -> None:
    local.configure(provider={"local": {"access_log": True}})
    local.deploy()
    where = str(local.client.paths.access("demo@dev"))
    assert any(where in note for note in local.provider.deployment("demo", "dev").notes)
    answered = call(local, "hello", **{"x-request-id": "r1", "traceparent": TRACEPARENT})
    get(f"{local.provider.deployment('demo', 'dev').endpoint}/ping")

    [line] = access_lines(local)

    assert (line["request_id"], line["route"], line["status"]) == ("r1", "/invocations", 200)
    assert (line["bytes_in"], line["bytes_out"]) == (7, 7)
    assert (line["cold"], line["release"], line["trace_id"]) == (True, "1", TRACE)
    assert f"{line['queue_ms']:.3f}" == answered["x-preheat-queue-ms"]
    destroyed = local.provider.destroy("demo", "dev", report=local.report)
    assert "access log demo@dev.jsonl" in destroyed.removed
    assert not local.client.paths.access("demo@dev").exists()


def test_without_the_setting_there_is_no_access_log(local: Local) -> None:
    local.deploy()
    call(local, "hello")
    assert access_lines(local) == []


def test_a_callers_trace_goes_on_through_the_endpoint(local: Local, collector: Collector) -> None:
    local.deploy()
    call(local, "hello", traceparent=TRACEPARENT)
    call(local, "again")

    local.client.shut_down()

    [server] = [span for span in collector.spans if span.parent == CALLER]
    children = {span.name: span for span in collector.spans if span.parent == server.id}
    assert (server.name, server.trace, server.service) == ("POST /invocations", TRACE, "demo")
    assert server.attributes["http.response.status_code"] == 200
    assert set(children) == {"queue", "predict"}
    assert {span.trace for span in children.values()} == {TRACE}
    [other] = [span for span in collector.spans if not span.parent]
    assert other.trace != TRACE


def test_traces_that_cannot_be_made_cost_a_warning_and_nothing_else(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "zipkin")
    local.deploy()
    call(local, "hello")
    [event] = local.events("traces-off")
    assert "zipkin" in event["message"]


def test_a_collector_that_does_not_answer_holds_up_neither_requests_nor_the_stop(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Collector(stuck=True).serving() as stuck:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", stuck.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
        local.deploy()
        for _ in range(3):
            call(local, "hello")
        local.client.shut_down()
