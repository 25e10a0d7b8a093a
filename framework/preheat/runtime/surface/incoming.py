"""What an ASGI server says of a request, and its body, within limits. Touches nothing but the connection."""

import asyncio
from collections.abc import Mapping

from starlette.types import Receive, Scope

from preheat.errors import BodyTooSlow
from preheat.runtime.requests import Incoming, check_announced, too_large

KEY = "preheat"
"""Where the boundary leaves `Incoming` in the ASGI scope."""


class ClientLeft(Exception):
    """The client closed the connection before its body was complete, or stopped reading its answer."""


def incoming(scope: Scope) -> Incoming:
    """Return what the boundary read of this request."""
    found: Incoming = scope[KEY]
    return found


async def read_body(receive: Receive, headers: Mapping[str, str], *, limit: int, within_s: float) -> bytes:
    """Return the whole body.

    Raises BodyTooLarge as soon as the announced or the received bytes exceed `limit`, BodyTooSlow
    when it is not complete after `within_s`, and ClientLeft when the connection closes before.
    """
    check_announced(headers, limit)
    try:
        async with asyncio.timeout(within_s):
            return await _receive_all(receive, limit)
    except TimeoutError as exc:
        raise BodyTooSlow(f"The body was not complete after {within_s:g} s.") from exc


async def _receive_all(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    received = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunk = message.get("body", b"")
        received += len(chunk)
        if received > limit:
            raise too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)
