"""The async face: drives the core over an httpx.AsyncClient."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, Self, TypeVar, overload

import httpx

from preheat.client.endpoint import Endpoint, job_headers
from preheat.client.exchange import Outcome, Pause, Send, Steps
from preheat.client.retrying import Retries
from preheat.client.transport import answer_of, endpoint, failure_of, http_options, request_for

T = TypeVar("T")


def connect_async(
    url: str,
    *,
    token: str | None = None,
    verify: str | bool = True,
    timeout_s: float = 60.0,
    retries: Retries = Retries(),  # noqa: B008 - frozen
) -> "AsyncClient":
    """Return a client of the endpoint at `url`; nothing is sent yet. `verify` names the CA's file.

    `timeout_s` bounds each call with all its retries, to the last byte of the answer.
    """
    return AsyncClient(
        httpx.AsyncClient(**http_options(url, token=token, verify=verify)), endpoint(timeout_s, retries)
    )


class AsyncClient:
    """One endpoint. Every call raises a RequestError of preheat.errors, by status. Tasks may share it."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        endpoint: Endpoint,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._endpoint = endpoint
        self._sleep = sleep

    async def schema(self) -> Mapping[str, Any]:
        """Read the handler's contract document, with the JSON Schema of its input and output."""
        return await self.run(self._endpoint.schema())

    @overload
    async def predict(self, value: Any, *, idempotent: bool = ..., timeout_s: float | None = ...) -> Any: ...
    @overload
    async def predict(
        self, value: Any, *, into: type[T], idempotent: bool = ..., timeout_s: float | None = ...
    ) -> T: ...
    async def predict(
        self, value: Any, *, into: Any = None, idempotent: bool = False, timeout_s: float | None = None
    ) -> Any:
        """Return the answer to `value`: JSON, an array, bytes or a File, or an `into`.

        `idempotent` says that running it twice does no harm: it is then sent again where it may have run.
        """
        return await self.run(self._endpoint.predict(value, into, idempotent, timeout_s))

    @overload
    def stream(
        self, value: Any, *, idempotent: bool = ..., timeout_s: float | None = ...
    ) -> AsyncIterator[Any]: ...
    @overload
    def stream(
        self, value: Any, *, into: type[T], idempotent: bool = ..., timeout_s: float | None = ...
    ) -> AsyncIterator[T]: ...
    async def stream(
        self, value: Any, *, into: Any = None, idempotent: bool = False, timeout_s: float | None = None
    ) -> AsyncIterator[Any]:
        """Give the items as they come. Closing the iterator stops the handler."""
        opened = await self.run(self._endpoint.open_stream(value, into, idempotent, timeout_s))
        assert isinstance(opened.live, httpx.Response)
        lines = opened.lines
        async with aclosing(opened.live) as response:
            chunks = response.aiter_bytes()
            try:
                while (chunk := await self._next(chunks, opened.deadline)) is not None:
                    while items := lines.feed(chunk):
                        for item in items:
                            yield item
                        chunk = b""
            except (httpx.TransportError, TimeoutError) as exc:
                lines.end(failure_of(exc))
            for item in lines.end():
                yield item

    async def _next(self, chunks: AsyncIterator[bytes], deadline: float) -> bytes | None:
        async with asyncio.timeout(deadline - self._endpoint.clock()):
            return await anext(chunks, None)

    async def submit(
        self,
        value: Any,
        *,
        idempotency_key: str | None = None,
        webhook: str | None = None,
        ttl_s: float | None = None,
    ) -> "AsyncJob":
        """Record a job. Its key (made where none is given) lets a retry make no second one."""
        headers = job_headers(idempotency_key, webhook, ttl_s)
        return self.job(await self.run(self._endpoint.submit(value, headers)))

    def job(self, job_id: str) -> "AsyncJob":
        """Return a job that was submitted before; nothing is sent yet."""
        return AsyncJob(job_id, self, self._endpoint)

    async def run(self, steps: Steps[T]) -> T:
        """Drive one conversation of the core to its end."""
        outcome: Outcome | None = None
        try:
            while True:
                step = steps.send(outcome)
                if isinstance(step, Pause):
                    await self._sleep(step.seconds)
                    outcome = None
                else:
                    outcome = await self._send(step)
        except StopIteration as done:
            result: T = done.value
            return result

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _send(self, step: Send) -> Outcome:
        left_s = step.deadline - self._endpoint.clock()
        request = request_for(self._http, step, left_s)
        try:
            # httpx bounds each read by itself, so an answer that trickles in would never end.
            async with asyncio.timeout(left_s):
                response = await self._http.send(request, stream=True)
                if step.call.streamed and response.is_success:
                    return answer_of(response, live=True)
                async with aclosing(response):
                    await response.aread()
                return answer_of(response, live=False)
        except (httpx.TransportError, TimeoutError) as exc:
            return failure_of(exc)


class AsyncJob:
    """One job of an endpoint, by its `id`."""

    def __init__(self, job_id: str, client: AsyncClient, endpoint: Endpoint) -> None:
        self.id = job_id
        self._client = client
        self._endpoint = endpoint

    async def status(self) -> str:
        """Return queued, running, succeeded, failed or cancelled."""
        return str((await self._client.run(self._endpoint.job(self.id)))["status"])

    async def cancel(self) -> str:
        """Cancel it unless it has ended, and return its status."""
        return str((await self._client.run(self._endpoint.job(self.id, "DELETE")))["status"])

    @overload
    async def result(self, *, timeout_s: float | None = None) -> Any: ...
    @overload
    async def result(self, *, into: type[T], timeout_s: float | None = None) -> T: ...
    async def result(self, *, into: Any = None, timeout_s: float | None = None) -> Any:
        """Wait for its answer, at most `timeout_s` (the client's own without one). Raises its problem."""
        return await self._client.run(self._endpoint.result(self.id, into, timeout_s))
