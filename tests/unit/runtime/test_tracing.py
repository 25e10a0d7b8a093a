import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from tests.fakes.collector import Collector

from preheat.interface.message import Response
from preheat.runtime.tracing import open_tracing

SCOPE = {"method": "POST", "path": "/invocations"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector().serving() as collector:
        yield collector


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_SERVICE_NAME": "alone"},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "True"},
    ],
)
def test_nobody_who_has_not_asked_gets_traces(environ: dict[str, str]) -> None:
    said: list[dict[str, Any]] = []
    assert open_tracing("demo", "dev", environ=environ, log=said.append) is None
    assert said == []


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_TRACES_EXPORTER": "zipkin"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
    ],
)
def test_an_exporter_that_is_not_there_is_a_warning_with_the_line_to_paste(environ: dict[str, str]) -> None:
    said: list[dict[str, Any]] = []
    assert open_tracing("demo", "dev", environ=environ, log=said.append) is None
    [event] = said
    assert (event["level"], event["event"]) == ("warning", "traces-off")
    assert "pip install 'preheat[otel]'" in event["message"]


def test_spans_arrive_at_a_collector_under_the_functions_name(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    tracing = open_tracing("demo", "dev")
    assert tracing is not None
    span = tracing.begin(SCOPE, "/invocations", "r1", {})
    span.answered(Response(queue_ms=1.0, model_ms=2.0, batch_size=4))
    span.end(200, "ok")
    assert tracing.close(30)
    by_name = {each.name: each for each in collector.spans}
    server = by_name["POST /invocations"]
    assert set(by_name) == {"POST /invocations", "queue", "predict"}
    assert {each.service for each in collector.spans} == {"demo"}
    assert (server.parent, by_name["predict"].parent) == ("", server.id)
    assert by_name["predict"].attributes == {"preheat.batch_size": 4}


@pytest.mark.parametrize(
    "variable", [("OTEL_SERVICE_NAME", "mine"), ("OTEL_RESOURCE_ATTRIBUTES", "service.name=mine,a=b")]
)
def test_a_name_that_the_user_gave_wins(
    variable: tuple[str, str], collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv(*variable)
    tracing = open_tracing("demo", "dev")
    assert tracing is not None
    tracing.begin(SCOPE, "/invocations", "r1", {}).end(200, "ok")
    assert tracing.close(30)
    assert collector.spans[0].service == "mine"


def test_a_collector_that_does_not_answer_holds_up_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    with Collector(stuck=True).serving() as stuck:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", stuck.url)
        tracing = open_tracing("demo", "dev")
        assert tracing is not None
        tracing.begin(SCOPE, "/invocations", "r1", {}).end(200, "ok")
        assert not tracing.close(0.1)


EMBEDDED = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from preheat.runtime.tracing import open_tracing
assert open_tracing("demo", "dev", environ={}) is None
trace.set_tracer_provider(TracerProvider())
assert open_tracing("demo", "dev", environ={}) is not None
"""


def test_a_provider_that_this_process_has_set_is_used() -> None:
    subprocess.run([sys.executable, "-c", EMBEDDED], check=True)


UNASKED = """
import sys
from preheat.runtime.surface.app import build_app
from preheat.runtime.tracing import open_tracing
assert open_tracing("demo", "dev", environ={}) is None
heavy = ("opentelemetry.sdk", "opentelemetry.exporter", "preheat.runtime.spans")
print([name for name in sys.modules if name.startswith(heavy)])
"""


def test_nothing_that_makes_spans_is_imported_where_nobody_has_asked() -> None:
    done = subprocess.run([sys.executable, "-c", UNASKED], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
