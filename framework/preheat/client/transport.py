"""What both faces share of httpx: the options of a connection, and its exceptions as outcomes."""

import random
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from preheat.client.endpoint import Endpoint
from preheat.client.exchange import Answer, Call, Cause, Failed
from preheat.client.retrying import Retries
from preheat.errors import PreheatError


def http_options(url: str, *, token: str | None, verify: str | bool) -> dict[str, Any]:
    """Return the arguments of an httpx client. Raises PreheatError for a wrong URL or certificate."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PreheatError(f"{url!r} is no endpoint.", hint='connect("http://127.0.0.1:41231")')
    try:
        trusted = ssl.create_default_context(cafile=verify) if isinstance(verify, str) else verify
    except (OSError, ssl.SSLError) as exc:
        raise PreheatError(f"verify={verify!r} is no certificate file that can be read: {exc}.") from exc
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return {"base_url": url, "headers": headers, "verify": trusted}


def endpoint(timeout_s: float, retries: Retries) -> Endpoint:
    """Return the core with the machine's clock and randomness."""
    jitter = random.Random().random  # noqa: S311 - spreads retries, guards nothing
    return Endpoint(
        timeout_s=timeout_s, retries=retries, clock=time.monotonic, jitter=jitter, new_key=lambda: uuid4().hex
    )


def request_for(http: httpx.Client | httpx.AsyncClient, call: Call, left_s: float) -> httpx.Request:
    """Return `call` as a request that waits at most `left_s` for each of its parts."""
    return http.build_request(
        call.method,
        call.path,
        headers=dict(call.headers),
        content=call.body or None,
        timeout=max(0.001, left_s),
    )


def answer_of(response: httpx.Response, *, live: bool) -> Answer:
    """Return a response that was read, or with `live` one whose body is still to come."""
    headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
    if live:
        return Answer(status=response.status_code, headers=headers, live=response)
    return Answer(status=response.status_code, headers=headers, body=response.content)


def failure_of(error: httpx.TransportError) -> Failed:
    """Return what `error` says of the request: whether it can have reached the handler."""
    detail = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return Failed(Cause.CONNECT, detail)
    return Failed(Cause.TIMEOUT if isinstance(error, httpx.TimeoutException) else Cause.BROKEN, detail)
