import threading

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from tests.fakes.patience import PATIENCE_S
from tests.fakes.telemetry import TRACE, Told

from preheat.interface.message import Request, Response
from preheat.runtime.spans import Tracing

SCOPE = {"method": "POST", "path": "/invocations"}


class Stuck(SpanProcessor):
    """Takes for ever to shut down."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def on_end(self, span: ReadableSpan) -> None:
        """Drop it."""

    def shutdown(self) -> None:
        self.release.wait(PATIENCE_S)


def test_a_trace_that_is_not_sampled_goes_on_as_not_sampled_and_is_not_exported() -> None:
    told = Told(sampler=ALWAYS_OFF)
    span = told.tracing.begin(SCOPE, "/invocations", "r1", {"traceparent": f"00-{TRACE}-b7ad6b7169203331-00"})
    request = span.propagate(Request(body=b"", id="r1", headers={"x-preheat-tenant": "blue"}))
    span.answered(Response(model_ms=1.0))
    span.end(200, "ok")
    assert request.headers["traceparent"].endswith("-00")
    assert request.headers["x-preheat-tenant"] == "blue"
    assert told.spans() == {}


def test_an_exporter_that_does_not_end_holds_nothing_up() -> None:
    stuck = Stuck()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(stuck)
    assert not Tracing(provider, owned=provider).close(0.05)
    stuck.release.set()


def test_a_provider_of_the_users_is_not_ended() -> None:
    stuck = Stuck()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(stuck)
    assert Tracing(provider).close(0.05)


def test_a_path_has_a_bounded_length() -> None:
    told = Told()
    told.tracing.begin({"method": "POST", "path": "/" + "x" * 9999}, "/a", "r1", {}).end(200, "ok")
    [span] = told.spans().values()
    assert len(str((span.attributes or {})["url.path"])) <= 256
