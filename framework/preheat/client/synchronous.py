"""The synchronous face: drives the core over an httpx.Client."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, Self, TypeVar, overload

import httpx

from preheat.client.endpoint import Endpoint, job_headers
from preheat.client.exchange import Outcome, Pause, Send, Steps
from preheat.client.retrying import Retries
from preheat.client.transport import answer_of, endpoint, failure_of, http_options, request_for

T = TypeVar("T")


def connect(
    url: str,
    *,
    token: str | None = None,
    verify: str | bool = True,
    timeout_s: float = 60.0,
    retries: Retries = Retries(),  # noqa: B008 - frozen
) -> "Client":
    """Return a client of the endpoint at `url`; nothing is sent yet. `verify` names the CA's file.

    `timeout_s` bounds each call with all its retries, to the last byte of the answer.
    """
    from preheat.client.deadlines import deadline_transport  # httpcore and anyio, 50 ms at the first use

    options = http_options(url, token=token, verify=verify)
    core = endpoint(timeout_s, retries)
    transport = deadline_transport(url, options["verify"], core.clock)
    return Client(httpx.Client(**options, transport=transport), core)


class Client:
    """One endpoint. Every call raises a RequestError of preheat.errors, by status. Threads may share it."""

    def __init__(
        self, http: httpx.Client, endpoint: Endpoint, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._http = http
        self._endpoint = endpoint
        self._sleep = sleep

    def schema(self) -> Mapping[str, Any]:
        """Read the handler's contract document, with the JSON Schema of its input and output."""
        return self.run(self._endpoint.schema())

    @overload
    def predict(self, value: Any, *, idempotent: bool = ..., timeout_s: float | None = ...) -> Any: ...
    @overload
    def predict(
        self, value: Any, *, into: type[T], idempotent: bool = ..., timeout_s: float | None = ...
    ) -> T: ...
    def predict(
        self, value: Any, *, into: Any = None, idempotent: bool = False, timeout_s: float | None = None
    ) -> Any:
        """Return the answer to `value`: JSON, an array, bytes or a File, or an `into`.

        `idempotent` says that running it twice does no harm: it is then sent again where it may have run.
        """
        return self.run(self._endpoint.predict(value, into, idempotent, timeout_s))

    @overload
    def stream(
        self, value: Any, *, idempotent: bool = ..., timeout_s: float | None = ...
    ) -> Iterator[Any]: ...
    @overload
    def stream(
        self, value: Any, *, into: type[T], idempotent: bool = ..., timeout_s: float | None = ...
    ) -> Iterator[T]: ...
    def stream(
        self, value: Any, *, into: Any = None, idempotent: bool = False, timeout_s: float | None = None
    ) -> Iterator[Any]:
        """Give the items as they come. Closing the iterator stops the handler."""
        opened = self.run(self._endpoint.open_stream(value, into, idempotent, timeout_s))
        assert isinstance(opened.live, httpx.Response)
        lines = opened.lines
        with closing(opened.live) as response:
            try:
                for chunk in response.iter_bytes():
                    while items := lines.feed(chunk):
                        yield from items
                        chunk = b""
            except httpx.TransportError as exc:
                lines.end(failure_of(exc))
            yield from lines.end()

    def submit(
        self,
        value: Any,
        *,
        idempotency_key: str | None = None,
        webhook: str | None = None,
        ttl_s: float | None = None,
    ) -> "Job":
        """Record a job. Its key (made where none is given) lets a retry make no second one."""
        headers = job_headers(idempotency_key, webhook, ttl_s)
        return self.job(self.run(self._endpoint.submit(value, headers)))

    def job(self, job_id: str) -> "Job":
        """Return a job that was submitted before; nothing is sent yet."""
        return Job(job_id, self, self._endpoint)

    def run(self, steps: Steps[T]) -> T:
        """Drive one conversation of the core to its end."""
        outcome: Outcome | None = None
        try:
            while True:
                step = steps.send(outcome)
                if isinstance(step, Pause):
                    self._sleep(step.seconds)
                    outcome = None
                else:
                    outcome = self._send(step)
        except StopIteration as done:
            result: T = done.value
            return result

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, step: Send) -> Outcome:
        request = request_for(self._http, step, step.deadline - self._endpoint.clock())
        try:
            response = self._http.send(request, stream=True)
            if step.call.streamed and response.is_success:
                return answer_of(response, live=True)
            with closing(response):
                response.read()
            return answer_of(response, live=False)
        except httpx.TransportError as exc:
            return failure_of(exc)


class Job:
    """One job of an endpoint, by its `id`."""

    def __init__(self, job_id: str, client: Client, endpoint: Endpoint) -> None:
        self.id = job_id
        self._client = client
        self._endpoint = endpoint

    def status(self) -> str:
        """Return queued, running, succeeded, failed or cancelled."""
        return str(self._client.run(self._endpoint.job(self.id))["status"])

    def cancel(self) -> str:
        """Cancel it unless it has ended, and return its status."""
        return str(self._client.run(self._endpoint.job(self.id, "DELETE"))["status"])

    @overload
    def result(self, *, timeout_s: float | None = None) -> Any: ...
    @overload
    def result(self, *, into: type[T], timeout_s: float | None = None) -> T: ...
    def result(self, *, into: Any = None, timeout_s: float | None = None) -> Any:
        """Wait for its answer, at most `timeout_s` (the client's own without one). Raises its problem."""
        return self._client.run(self._endpoint.result(self.id, into, timeout_s))
