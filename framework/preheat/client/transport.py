"""What both faces share of httpx: the options of a connection, and its exceptions as outcomes."""

import random
import ssl
import time
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from preheat.client.endpoint import Endpoint
from preheat.client.exchange import Answer, Cause, Failed, Send
from preheat.client.retrying import Retries
from preheat.client.uploads import Upload
from preheat.errors import PreheatError

DEADLINE = "preheat.deadline"
"""The request extension that holds the deadline, a time of the core's clock."""


def http_options(url: str, *, token: str | None, verify: str | bool) -> dict[str, Any]:
    """Return the arguments of an httpx client. Raises PreheatError for a wrong URL or certificate."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PreheatError(f"{url!r} is no endpoint.", hint='connect("http://127.0.0.1:41231")')
    try:
        trusted = (
            ssl.create_default_context(cafile=verify)
            if isinstance(verify, str)
            else httpx.create_ssl_context(verify=verify)
        )
    except (OSError, ssl.SSLError) as exc:
        raise PreheatError(f"verify={verify!r} is no certificate file that can be read: {exc}.") from exc
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return {"base_url": url, "headers": headers, "verify": trusted}


def endpoint(timeout_s: float, retries: Retries) -> Endpoint:
    """Return the core with the machine's clock and randomness."""
    jitter = random.Random().random  # noqa: S311 - spreads retries, guards nothing
    return Endpoint(
        timeout_s=timeout_s,
        retries=retries,
        arrays=find_spec("numpy") is not None,
        clock=time.monotonic,
        jitter=jitter,
        new_key=lambda: uuid4().hex,
    )


def request_for(http: httpx.Client | httpx.AsyncClient, step: Send, left_s: float) -> httpx.Request:
    """Return the call of `step` as a request that waits at most `left_s` for each of its parts."""
    call = step.call
    headers = dict(call.headers)
    content: Any = call.body or None
    if isinstance(call.body, Upload):
        headers["content-length"] = str(call.body.length)
        content = call.body.chunks() if isinstance(http, httpx.Client) else call.body.chunks_async()
    request = http.build_request(
        call.method, call.path, headers=headers, content=content, timeout=max(0.001, left_s)
    )
    if call.elsewhere:
        request.headers.pop("authorization", None)
    request.extensions[DEADLINE] = step.deadline
    return request


def answer_of(response: httpx.Response, *, live: bool) -> Answer:
    """Return a response that was read, or with `live` one whose body is still to come."""
    headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
    if live:
        return Answer(status=response.status_code, headers=headers, live=response)
    return Answer(status=response.status_code, headers=headers, body=response.content)


def failure_of(error: httpx.TransportError | TimeoutError) -> Failed:
    """Return what `error` says of the request: whether it can have reached the handler."""
    detail = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in detail:
        return Failed(Cause.UNTRUSTED, detail)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return Failed(Cause.CONNECT, detail)
    late = isinstance(error, httpx.TimeoutException | TimeoutError)
    return Failed(Cause.TIMEOUT if late else Cause.BROKEN, detail)
