"""Takes uploads from a queue that buckets tell of them: with no stack, and up to a minute later. Ships.

A scheduled function runs this on a small machine. A message is deleted once its uploads are queued on Modal;
one that names no upload stays, for the queue's own redrive policy.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from preheat.runtime.log import Log, log_to_stderr
from preheat.runtime.objects.events import BadEvent, objects_of
from preheat_providers.modal.shipped.uploads.intake import Intake

LONGEST_S = 45.0
"""How long one run takes messages: the next one starts a minute after this one did."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, and the receipt with which it is deleted."""

    id: str
    body: str
    receipt: str


class Queue(Protocol):
    """A queue of messages, each of which is delivered once or more."""

    def receive(self) -> Sequence[Message]:
        """Return some messages, none if there are none now. Raises Unavailable or BadInput."""
        ...

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete them; one that stays is delivered again. Raises Unavailable or BadInput."""
        ...


class Poller:
    """One run: takes what is in `queue`, until there is nothing or its time is up."""

    def __init__(
        self,
        queue: Queue,
        intake: Intake,
        *,
        clock: Callable[[], float] = time.monotonic,
        log: Log = log_to_stderr,
    ) -> None:
        self._queue = queue
        self._intake = intake
        self._clock = clock
        self._log = log

    async def run(self) -> None:
        """Take the messages. Raises Unavailable where AWS or Modal does not answer; they come again."""
        ends = self._clock() + LONGEST_S
        while self._clock() < ends:
            messages = await asyncio.to_thread(self._queue.receive)
            if not messages:
                return
            taken = await asyncio.gather(*map(self._take, messages))
            done = [message for message, is_taken in zip(messages, taken, strict=True) if is_taken]
            if done:
                await asyncio.to_thread(self._queue.delete, done)

    async def _take(self, message: Message) -> bool:
        try:
            records = objects_of(json.loads(message.body))
        except (BadEvent, ValueError) as error:
            said = f"message {message.id} names no upload, and stays in the queue: {error}"
            self._log({"level": "error", "event": "upload-refused", "message": said})
            return False
        for record in records:
            await self._intake.take(record)
        return True
