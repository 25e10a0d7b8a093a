"""From a Response to ASGI messages, whole or as a stream."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus

from starlette.types import Send

from preheat.interface.message import Response
from preheat.runtime.answers import FRAMING, HARDENED, UNBUFFERED, told
from preheat.runtime.direct import RawHeaders
from preheat.runtime.surface.incoming import ClientLeft

STALLED_S = 60.0
"""How long a client may take no byte of a stream before it counts as gone."""

_HARDENED = tuple((name.encode(), value.encode()) for name, value in HARDENED)
_UNBUFFERED = tuple((name.encode(), value.encode()) for name, value in UNBUFFERED)
_HARDENED_LINES = "".join(f"{name}: {value}\r\n" for name, value in HARDENED)
_BREAKS = 4 + len(HARDENED)
_REASONS = {status.value: status.phrase for status in HTTPStatus}


async def send_response(response: Response, send: Send, *, stalled_s: float = STALLED_S) -> None:
    """Send `response`. A stream goes on as fast as the client takes it, and is always closed.

    Raises ClientLeft when the client takes nothing of a stream for `stalled_s`.
    """
    headers = _raw(told(response))
    headers.append((b"content-type", response.content_type.encode("latin-1")))
    headers.extend(_HARDENED)
    if response.chunks is not None:
        await _send_stream(response.status, headers, response.chunks, send, stalled_s)
        return
    headers.append((b"content-length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": False})


def whole(response: Response, request_id: str, *, keep_alive: bool) -> bytes:
    """Return `response`, which is no stream, as one HTTP/1.1 message.

    Raises ValueError for a header that would end early: what a handler calls its file may come from a caller.
    """
    head = (
        f"HTTP/1.1 {response.status} {_REASONS.get(response.status, '')}\r\n"
        f"content-type: {response.content_type}\r\n"
        f"content-length: {len(response.body)}\r\n"
        f"x-request-id: {request_id}\r\n"
        f"{_HARDENED_LINES}"
    )
    breaks = _BREAKS
    for name, value in told(response):
        if (lower := name.lower()) not in FRAMING:
            head += f"{lower}: {value}\r\n"
            breaks += 1
    if not keep_alive:
        head += "connection: close\r\n"
        breaks += 1
    if head.count("\n") != breaks or head.count("\r") != breaks:
        raise ValueError("a header of the answer holds a line break")
    return b"%b\r\n%b" % (head.encode("latin-1"), response.body)


async def _send_stream(
    status: int, headers: RawHeaders, chunks: AsyncIterator[bytes], send: Send, stalled_s: float
) -> None:
    try:
        headers += _UNBUFFERED
        await send({"type": "http.response.start", "status": status, "headers": headers})
        async for chunk in chunks:
            await _send_chunk(chunk, send, stalled_s)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


async def _send_chunk(chunk: bytes, send: Send, stalled_s: float) -> None:
    try:
        async with asyncio.timeout(stalled_s):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except TimeoutError as exc:
        raise ClientLeft from exc


def _raw(headers: Iterable[tuple[str, str]]) -> RawHeaders:
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in headers
        if name.lower() not in FRAMING
    ]
