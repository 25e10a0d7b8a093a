"""A transport for httpx.Client in which every wait for the network ends at the deadline of its request.

httpx bounds each read by itself, so an answer that trickles in would never end. Asynchronous clients
need none of this: there a task is cancelled.
"""

import math
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpcore
import httpx

from preheat.client.transport import DEADLINE

KEEP_ALIVE_S = 5.0
Clock = Callable[[], float]
T = TypeVar("T")


def deadline_transport(url: str, trusted: ssl.SSLContext, clock: Clock) -> httpx.BaseTransport:
    """Return the transport for `url`, through the proxy that the environment names for it."""
    waits = Waits(clock)
    network = BoundedNetwork(httpcore.SyncBackend(), waits)
    proxy = _proxy(url)
    if proxy is None:
        pool = httpcore.ConnectionPool(trusted, keepalive_expiry=KEEP_ALIVE_S, network_backend=network)
    elif proxy.url.scheme in ("http", "https"):
        pool = httpcore.HTTPProxy(
            str(proxy.url),
            proxy_auth=proxy.raw_auth,
            ssl_context=trusted,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=network,
        )
    else:
        # SOCKS needs a package that only httpx knows how to ask for; each read is bounded there.
        return httpx.HTTPTransport(verify=trusted, proxy=proxy)
    return DeadlineTransport(pool, waits)


class Waits:
    """The deadline of the request that this thread drives now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._current = threading.local()

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """Let every wait of this thread inside the block end at `deadline`."""
        before = getattr(self._current, "deadline", math.inf)
        self._current.deadline = deadline
        try:
            yield
        finally:
            self._current.deadline = before

    def bounded(self, timeout: float | None, error: type[Exception]) -> float | None:
        """Return how long one wait may take. Raises `error` when the deadline has passed."""
        left = getattr(self._current, "deadline", math.inf) - self._clock()
        if left <= 0:
            raise error("the deadline has passed")
        wait = left if timeout is None else min(timeout, left)
        return wait if math.isfinite(wait) else None


class BoundedNetwork(httpcore.NetworkBackend):
    """Opens connections whose waits are bounded."""

    def __init__(self, inner: httpcore.NetworkBackend, waits: Waits) -> None:
        self._inner = inner
        self._waits = waits

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect."""
        wait = self._waits.bounded(timeout, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(host, port, wait, local_address, socket_options)
        return BoundedStream(stream, self._waits)


class BoundedStream(httpcore.NetworkStream):
    """One connection."""

    def __init__(self, inner: httpcore.NetworkStream, waits: Waits) -> None:
        self._inner = inner
        self._waits = waits

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come, at most `max_bytes`."""
        return self._inner.read(max_bytes, self._waits.bounded(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of `buffer`."""
        self._inner.write(buffer, self._waits.bounded(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Speak TLS from here on."""
        wait = self._waits.bounded(timeout, httpcore.ConnectTimeout)
        return BoundedStream(self._inner.start_tls(ssl_context, server_hostname, wait), self._waits)

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks of a connection."""
        return self._inner.get_extra_info(info)


class DeadlineTransport(httpx.BaseTransport):
    """Sends requests through a pool, each and its answer's body within the deadline that it carries."""

    def __init__(self, pool: httpcore.ConnectionPool, waits: Waits) -> None:
        self._pool = pool
        self._waits = waits

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request`; the body of the answer is read later, within the same deadline."""
        deadline = float(request.extensions.get(DEADLINE, math.inf))
        url = request.url
        assert isinstance(request.stream, httpx.SyncByteStream)
        sent = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with self._waits.until(deadline), _as_httpx():
            answer = self._pool.handle_request(sent)
        assert isinstance(answer.stream, Iterable)
        body = _Body(answer.stream, self._waits, deadline)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=body, extensions=answer.extensions
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, inner: Iterable[bytes], waits: Waits, deadline: float) -> None:
        self._inner = inner
        self._waits = waits
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._inner)
        while True:
            # Not around the yield: between two chunks this thread may drive another request.
            with self._waits.until(self._deadline), _as_httpx():
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk

    def close(self) -> None:
        close = getattr(self._inner, "close", None)
        if close is not None:
            close()


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Raise httpcore's exceptions as those of httpx, which have the same names."""
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.ProxyError,
        httpcore.UnsupportedProtocol,
    ) as exc:
        raise getattr(httpx, type(exc).__name__)(str(exc)) from exc


def _proxy(url: str) -> httpx.Proxy | None:
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    found = urllib.request.getproxies()
    named = found.get(parts.scheme) or found.get("all")
    return httpx.Proxy(named) if named else None
