"""From a Response to ASGI messages, whole or as a stream."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from starlette.types import Send

from preheat.interface.message import Response
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

RawHeaders = list[tuple[bytes, bytes]]


async def send_response(response: Response, send: Send, *, stalled_s: float = STALLED_S) -> None:
    """Send `response`. A stream goes on as fast as the client takes it, and is always closed.

    Raises ClientLeft when the client takes nothing of a stream for `stalled_s`.
    """
    headers = _raw(response.headers)
    headers.append((b"content-type", response.content_type.encode("latin-1")))
    headers.extend(_HARDENED)
    if response.chunks is not None:
        await _send_stream(response.status, headers, response.chunks, send, stalled_s)
        return
    headers.append((b"content-length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": False})


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


def _raw(headers: Mapping[str, str]) -> RawHeaders:
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in headers.items()
        if name.lower() not in _FRAMING
    ]
