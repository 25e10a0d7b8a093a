"""The web function that EventBridge calls: it looks who calls, and has the model's class do the rest. Ships.

It runs on a small machine of its own, starts in a second and answers at once: EventBridge waits for 5 s,
and repeats for a day what was not answered with 2xx. So it imports the standard library alone.
"""

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from preheat.runtime.objects.events import BadEvent, read_notification
from preheat_providers.modal.shipped.uploads.intake import Intake

KEY_HEADER = b"x-preheat-uploads-key"
"""The header in which the connection sends its secret."""
LONGEST_BODY = 256 * 1024
"""https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html, read on 2026-11-21."""

Message = MutableMapping[str, Any]


class Receiver:
    """An ASGI application with one route. `key_sha256` is what the caller's key must hash to."""

    def __init__(self, intake: Intake, *, key_sha256: str) -> None:
        self._intake = intake
        self._key_sha256 = key_sha256

    async def __call__(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"This application answers HTTP, not {scope['type']}.")
        status, said = await self._answer(scope, receive)
        body = json.dumps(said).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, scope: Mapping[str, Any], receive: Callable[[], Awaitable[Message]]
    ) -> tuple[int, Mapping[str, Any]]:
        given = next((value for name, value in scope["headers"] if name.lower() == KEY_HEADER), b"")
        if not hmac.compare_digest(hashlib.sha256(given).hexdigest(), self._key_sha256):
            return 401, {"detail": "The key is missing or wrong."}
        if scope["method"] != "POST":
            return 405, {"detail": "POST an event of EventBridge."}
        body = await _read(receive)
        if body is None:
            return 413, {"detail": f"An event has {LONGEST_BODY} bytes at most."}
        try:
            record = read_notification(json.loads(body))
        except (ValueError, BadEvent) as error:
            return 400, {"detail": f"This is no event of S3: {error}"}
        return 200, {"skipped": "no object was created"} if record is None else await self._intake.take(
            record
        )


async def _read(receive: Callable[[], Awaitable[Message]]) -> bytes | None:
    """Return the body, or None if it is too long."""
    body: bytes = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > LONGEST_BODY:
            return None
        if not message.get("more_body"):
            return body
