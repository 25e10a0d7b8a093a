"""The trace of a request around the user's code, so that the handler's own spans become its children.

Only where OpenTelemetry's SDK has been imported; everything else costs one look-up.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

P = ParamSpec("P")
T = TypeVar("T")

Headers = Mapping[str, str]


@dataclass(slots=True)
class Traced:
    """An input, and the headers of the request that it came with."""

    value: Any
    headers: Headers


def in_trace(predict: Callable[[Any], Any], *, batched: bool, is_async: bool) -> Callable[[Any], Any]:
    """Return `predict` for a Traced input, or for a list of them, called in their trace."""

    def unpack(given: Any) -> tuple[Any, Sequence[Headers]]:
        if batched:
            return [each.value for each in given], [each.headers for each in given]
        return given.value, (given.headers,)

    def call(given: Any) -> Any:
        argument, headers = unpack(given)
        with trace_of(headers):
            return predict(argument)

    async def call_async(given: Any) -> Any:
        argument, headers = unpack(given)
        with trace_of(headers):
            return await predict(argument)

    return call_async if is_async else call


def handler_traces() -> bool:
    """Return whether the handler may make spans: whether anybody has imported OpenTelemetry's SDK by now.

    The API alone, which FastAPI imports, makes none.
    """
    return "opentelemetry.sdk.trace" in sys.modules


def trace_of(
    requests: Sequence[Headers], provider: "TracerProvider | None" = None
) -> AbstractContextManager[None]:
    """Return a context in which spans are children of the request that has these headers.

    For a batch they are children of a span `predict batch`, itself a child of the first request
    that is traced, with links to all others, made by `provider` or else by the one that is set.
    """
    if not handler_traces():
        return nullcontext()
    traced = [headers for headers in requests if "traceparent" in headers]
    return _attached(traced, provider) if traced else nullcontext()


def traced(requests: Sequence[Headers], function: Callable[P, T]) -> Callable[P, T]:
    """Return `function` to be called, on whatever thread, in the trace of `requests`."""
    if not handler_traces():
        return function

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with trace_of(requests):
            return function(*args, **kwargs)

    return call


@contextmanager
def _attached(requests: Sequence[Headers], provider: "TracerProvider | None") -> Iterator[None]:
    from opentelemetry.context import Context, attach, detach
    from opentelemetry.trace import Link, get_current_span, get_tracer
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    w3c = TraceContextTextMapPropagator()
    first, *others = [w3c.extract(headers, Context()) for headers in requests]
    if others:
        links = [Link(get_current_span(other).get_span_context()) for other in others]
        with get_tracer("preheat", tracer_provider=provider).start_as_current_span(
            "predict batch", first, links=links
        ):
            yield
        return
    token = attach(first)
    try:
        yield
    finally:
        detach(token)
