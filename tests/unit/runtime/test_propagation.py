import asyncio
import subprocess
import sys
import threading

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.fakes.telemetry import CALLER, TRACE, TRACEPARENT, parent_id, span_id

from preheat.runtime.propagation import Traced, in_trace, trace_of, traced

OTHER = "00-11111111111111111111111111111111-2222222222222222-01"


class Handler:
    """The user's code with spans of its own; `exporter` has them."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def predict(self, value: int) -> int:
        with self.provider.get_tracer("handler").start_as_current_span("tokenize"):
            return value + 1


def test_a_handlers_span_is_below_the_request_on_whatever_thread() -> None:
    handler = Handler()
    answers: list[int] = []
    call = traced([{"traceparent": TRACEPARENT}], handler.predict)
    thread = threading.Thread(target=lambda: answers.append(call(1)))
    thread.start()
    thread.join()
    [span] = handler.exporter.get_finished_spans()
    assert answers == [2]
    assert span.context is not None
    assert (f"{span.context.trace_id:032x}", parent_id(span)) == (TRACE, CALLER)


def test_after_the_call_no_request_is_current_whether_it_raised_or_not() -> None:
    def failing() -> None:
        assert trace.get_current_span().get_span_context().is_valid
        raise LookupError

    with pytest.raises(LookupError):
        traced([{"traceparent": TRACEPARENT}], failing)()
    assert not trace.get_current_span().get_span_context().is_valid


@pytest.mark.parametrize("requests", [[], [{}], [{"x-preheat-tenant": "blue"}]])
def test_a_request_without_a_trace_begins_none(requests: list[dict[str, str]]) -> None:
    handler = Handler()
    assert traced(requests, handler.predict)(1) == 2
    [span] = handler.exporter.get_finished_spans()
    assert span.parent is None


def test_spans_of_a_batch_are_below_the_first_request_and_linked_to_the_others() -> None:
    handler = Handler()
    batch = [{}, {"traceparent": TRACEPARENT}, {"traceparent": OTHER}]
    with trace_of(batch, handler.provider):
        handler.predict(1)
    inner, outer = handler.exporter.get_finished_spans()
    assert (inner.name, outer.name) == ("tokenize", "predict batch")
    assert (parent_id(inner), parent_id(outer)) == (span_id(outer), CALLER)
    assert [f"{link.context.span_id:016x}" for link in outer.links] == ["2222222222222222"]


def test_predict_gets_its_inputs_unwrapped_in_their_trace_one_or_many() -> None:
    handler = Handler()
    single = in_trace(handler.predict, batched=False, is_async=False)
    assert single(Traced(1, {"traceparent": TRACEPARENT})) == 2
    many = in_trace(lambda values: [handler.predict(value) for value in values], batched=True, is_async=False)
    assert many([Traced(1, {"traceparent": OTHER}), Traced(5, {})]) == [2, 6]
    parents = [parent_id(span) for span in handler.exporter.get_finished_spans()]
    assert parents == [CALLER, "2222222222222222", "2222222222222222"]


def test_an_async_predict_keeps_its_trace_over_every_await() -> None:
    handler = Handler()

    async def predict(value: int) -> int:
        await asyncio.sleep(0)
        return handler.predict(value)

    async def both() -> list[int]:
        call = in_trace(predict, batched=False, is_async=True)
        headers = ({"traceparent": TRACEPARENT}, {"traceparent": OTHER})
        return list(await asyncio.gather(*(call(Traced(i, each)) for i, each in enumerate(headers))))

    assert asyncio.run(both()) == [1, 2]
    assert [parent_id(span) for span in handler.exporter.get_finished_spans()] == [CALLER, "2222222222222222"]


PLAIN = """
import sys
from preheat.runtime.propagation import traced
def predict(): ...
assert traced([{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-1-01"}], predict) is predict
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""


def test_a_handler_without_opentelemetry_is_called_as_it_is() -> None:
    done = subprocess.run([sys.executable, "-c", PLAIN], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
