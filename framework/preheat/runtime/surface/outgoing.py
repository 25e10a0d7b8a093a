"""From a Response to ASGI messages, whole or as a stream."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus

from starlette.types import Send

from preheat.interface.message import BATCH_SIZE_HEADER, MODEL_MS_HEADER, QUEUE_MS_HEADER, Response
from preheat.runtime.direct import RawHeaders
from preheat.runtime.surface.incoming import ClientLeft

STALLED_S = 60.0
"""How long a client may take no byte of a stream before it counts as gone."""

_FRAMING = frozenset(
    {"connection", "content-length", "content-type", "keep-alive", "trailer", "transfer-encoding", "upgrade"}
)
_HARDENED = (
    (b"x-content-type-options", b"nosniff"),
    # What a model returns may be HTML: it must not run as a page of this origin, which holds the token.
    (b"content-security-policy", b"sandbox; default-src 'none'"),
)

_HARDENED_LINES = "".join(f"{name.decode()}: {value.decode()}\r\n" for name, value in _HARDENED)
_BREAKS = 4 + len(_HARDENED)
_REASONS = {status.value: status.phrase for status in HTTPStatus}


async def send_response(response: Response, send: Send, *, stalled_s: float = STALLED_S) -> None:
    """Send `response`. A stream goes on as fast as the client takes it, and is always closed.

    Raises ClientLeft when the client takes nothing of a stream for `stalled_s`.
    """
    headers = _raw(_told(response))
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
    for name, value in _told(response):
        if (lower := name.lower()) not in _FRAMING:
            head += f"{lower}: {value}\r\n"
            breaks += 1
    if not keep_alive:
        head += "connection: close\r\n"
        breaks += 1
    if head.count("\n") != breaks or head.count("\r") != breaks:
        raise ValueError("a header of the answer holds a line break")
    return b"%b\r\n%b" % (head.encode("latin-1"), response.body)


def _told(response: Response) -> Iterable[tuple[str, str]]:
    """Return the headers of `response`, and those that say how it was made."""
    if not response.batch_size or QUEUE_MS_HEADER in response.headers:
        return response.headers.items()
    return (
        *response.headers.items(),
        (QUEUE_MS_HEADER, f"{response.queue_ms:.3f}"),
        (MODEL_MS_HEADER, f"{response.model_ms:.3f}"),
        (BATCH_SIZE_HEADER, str(response.batch_size)),
    )


async def _send_stream(
    status: int, headers: RawHeaders, chunks: AsyncIterator[bytes], send: Send, stalled_s: float
) -> None:
    try:
        # A proxy that collects the stream would undo it.
        headers += [(b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
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
        if name.lower() not in _FRAMING
    ]
