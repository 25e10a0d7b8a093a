"""The web function that EventBridge calls: it looks who calls, and has the model's class do the rest. Ships.

It runs on a small machine of its own, starts in a second and answers at once: EventBridge waits for 5 s,
and repeats for a day what was not answered with 2xx. So it imports the standard library alone.
"""

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from preheat.runtime.log import Log, log_to_stderr
from preheat.runtime.objects.events import BadEvent, ObjectRecord, read_notification
from preheat_providers.modal.jobs.calls import Entries
from preheat_providers.modal.uploads.taking import Upload, upload_key

KEY_HEADER = b"x-preheat-uploads-key"
"""The header in which the connection sends its secret."""
LONGEST_BODY = 256 * 1024
"""https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html, read on 2026-11-21."""

Message = MutableMapping[str, Any]
Begin = Callable[[str, Mapping[str, Any]], Awaitable[str]]
"""Has the class run on an upload, given the trigger's name and the event; returns the call's id."""


class Receiver:
    """An ASGI application with one route. `key_sha256` is what the caller's key must hash to."""

    def __init__(
        self,
        triggers: Iterable[Upload],
        entries: Callable[[], Entries],
        begin: Begin,
        *,
        key_sha256: str,
        log: Log = log_to_stderr,
    ) -> None:
        self._triggers = tuple(triggers)
        self._entries = entries
        self._begin = begin
        self._key_sha256 = key_sha256
        self._log = log

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
            event = json.loads(body)
            record = read_notification(event)
        except (ValueError, BadEvent) as error:
            return 400, {"detail": f"This is no event of S3: {error}"}
        return 200, {"skipped": "no object was created"} if record is None else await self._take(
            event, record
        )

    async def _take(self, event: Mapping[str, Any], record: ObjectRecord) -> Mapping[str, Any]:
        trigger = next((each for each in self._triggers if each.wants(record.bucket, record.key)), None)
        if trigger is None:
            return {"skipped": "no trigger of this function takes it"}
        key, entries = upload_key(trigger, record), self._entries()
        known = await entries.get(key)
        if known is not None:
            self._tell("upload-again", record, "was delivered again", known["call"])
            return known
        # Begun first and noted then: one that comes twice in between runs twice, and none is lost.
        taken = {"call": await self._begin(trigger.name, event)}
        await entries.put(key, taken)
        self._tell("upload", record, "is queued", taken["call"])
        return taken

    def _tell(self, event: str, record: ObjectRecord, what: str, call: str) -> None:
        message = f"s3://{record.bucket}/{record.key} {what}"
        self._log({"level": "info", "event": event, "message": message, "call_id": call})


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
