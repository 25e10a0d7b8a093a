"""An endpoint in memory for the Python client, behind httpx's own seam."""

from collections.abc import Callable
from typing import Any

import httpx
from tests.fakes.surface import CONTRACT

from preheat.client import AsyncClient, Client, Retries
from preheat.client.endpoint import Endpoint

Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Remote:
    """Answers requests from a list, the contract aside, and remembers them. Its handler takes anything."""

    def __init__(self, *replies: Reply, arrays: bool = True, **contract: Any) -> None:
        self.arrays = arrays
        self.replies = list(replies)
        self.contract = CONTRACT | {"input": {}} | contract
        self.seen: list[httpx.Request] = []
        self.schemas = 0
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/schema":
            self.schemas += 1
            return httpx.Response(200, json=self.contract)
        request.read()
        self.seen.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx.Response) else reply(request)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(
            timeout_s=60.0,
            retries=Retries(),
            arrays=self.arrays,
            clock=lambda: self.now,
            jitter=lambda: 1.0,
            new_key=lambda: "fresh",
        )

    @property
    def client(self) -> Client:
        return self.client_over(httpx.MockTransport(self))

    @property
    def async_client(self) -> AsyncClient:
        return self.async_client_over(httpx.MockTransport(self))

    def client_over(self, transport: httpx.BaseTransport) -> Client:
        http = httpx.Client(transport=transport, base_url="http://remote")
        return Client(http, self.endpoint, sleep=self.sleep)

    def async_client_over(self, transport: httpx.AsyncBaseTransport) -> AsyncClient:
        http = httpx.AsyncClient(transport=transport, base_url="http://remote")
        return AsyncClient(http, self.endpoint, sleep=self.sleep_async)


def ok(value: Any) -> httpx.Response:
    """Return a good answer."""
    return httpx.Response(200, json=value)


def busy(status: int = 429, **headers: str) -> httpx.Response:
    """Return a refusal."""
    return httpx.Response(status, json={"detail": "busy", "status": status}, headers=headers)
