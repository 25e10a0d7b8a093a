"""Runs the deliveries of one function: reads the object, writes the result, keeps what failed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from preheat.errors import HandlerFailed
from preheat.interface.message import Request, Response
from preheat.runtime.objects.events import ObjectRecord, read_event
from preheat.runtime.objects.results import content_type, request_headers, result_body, result_key
from preheat_providers.local.jobs import Claim, Superseded
from preheat_providers.local.triggers.buckets import Bucket, Place
from preheat_providers.local.triggers.dead_letters import DeadLetters


class FunctionDeliveries:
    """Implements `Deliveries`. `open_bucket` returns the bucket at a place; `limit` is in bytes."""

    def __init__(
        self, open_bucket: Callable[[Place], Awaitable[Bucket]], letters: DeadLetters, *, limit: int
    ) -> None:
        self._open = open_bucket
        self._letters = letters
        self._limit = limit

    async def request(self, claim: Claim) -> Request:
        """Return the object's bytes with the type that its name stands for, or the tick's input."""
        event = _event(claim)
        if event is None:
            return claim.request
        record, bucket = event, await self._open(_place(claim))
        return replace(
            claim.request,
            body=await bucket.read(record, self._limit),
            content_type=content_type(record.key),
            headers=request_headers(record),
        )

    async def succeeded(self, claim: Claim, response: Response) -> None:
        """Write the result, unless a newer content of the object has a result of its own to come."""
        record = _event(claim)
        if record is None or claim.sink is None:
            return
        source = await self._open(_place(claim))
        if not await source.current(record):
            raise Superseded(f"The object {record.key!r} has changed; its new content is another delivery.")
        key = result_key(claim.sink["prefix"], record.key, response.content_type)
        body = result_body(record, response.content_type, response.body)
        sink = await self._open(Place(**claim.sink["place"]))
        await sink.write(key, body, response.content_type)

    async def failed(self, claim: Claim, problem: Mapping[str, Any]) -> None:
        """Keep the delivery in the dead-letter folder."""
        await asyncio.to_thread(self._letters.keep, claim, problem)


def _event(claim: Claim) -> ObjectRecord | None:
    if claim.source is None or claim.source.get("event") is None:
        return None
    (record,) = read_event(claim.source["event"])
    return record


def _place(claim: Claim) -> Place:
    if claim.source is None:
        raise HandlerFailed("The delivery names no bucket.")
    return Place(**claim.source["place"])
