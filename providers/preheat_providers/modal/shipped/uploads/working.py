"""What the model's class does with an upload: read it, run the model, write the result. Ships."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from preheat.errors import BadInput, NotFound, NotOffered, RequestError, Unavailable
from preheat.interface.message import Engine, Request, Response
from preheat.runtime.answers import collected
from preheat.runtime.log import Log, log_to_stderr
from preheat.runtime.objects.events import ObjectRecord
from preheat.runtime.objects.results import content_type, request_headers, result_body, result_key
from preheat.runtime.objects.storage import Storage, Superseded
from preheat.runtime.objects.uploads import Upload
from preheat_providers.modal.shipped.jobs.attempts import BUSY, delay_s
from preheat_providers.modal.shipped.jobs.calls import Entries
from preheat_providers.modal.shipped.jobs.records import Item
from preheat_providers.modal.shipped.uploads.taking import done_key, upload_key

Sleep = Callable[[float], Awaitable[None]]


class Uploads:
    """The uploads of one function. `limit` bounds an object, in bytes."""

    def __init__(
        self,
        triggers: Iterable[Upload],
        engine: Engine,
        entries: Entries,
        storage: Storage,
        *,
        limit: int,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        log: Log = log_to_stderr,
    ) -> None:
        self._triggers = {each.name: each for each in triggers}
        self._engine = engine
        self._entries = entries
        self._storage = storage
        self._limit = limit
        self._sleep = sleep
        self._chance = chance
        self._log = log

    async def run(self, trigger_name: str, uploaded: Mapping[str, Any]) -> Item | None:
        """Do the upload `uploaded`, an ObjectRecord as plain data, unless it was done.

        Return where the result is, or None if there is none: the object is gone or has changed, or the
        model refused it or failed for good, which is in the log. A call that raises is one that Modal
        repeats, and the attempts of the trigger are over. Raises NotOffered for an unknown trigger.
        """
        trigger, record = self._triggers.get(trigger_name), ObjectRecord(**uploaded)
        if trigger is None:
            raise NotOffered(f"No trigger of this function is called {trigger_name!r}.")
        what = f"s3://{record.bucket}/{record.key}"
        done = done_key(upload_key(trigger, record))
        known = await self._entries.get(done)
        if known is not None:
            self._tell("info", "upload-again", f"{what}: was done already", record)
            return known
        try:
            outcome = await self._persist(trigger, record)
        except (NotFound, Superseded) as error:
            self._tell("warning", "upload-skipped", f"{what}: {error.message}", record)
            return None
        except RequestError as error:
            self._tell("error", "upload-failed", f"{what}: {error.message}", record)
            return None
        await self._entries.put(done, outcome)
        self._tell("info", "upload-done", f"{what}: {outcome['result']}", record)
        return outcome

    async def _persist(self, trigger: Upload, record: ObjectRecord) -> Item:
        """Try as often as the trigger says what may be better the next time."""
        for attempt in range(1, trigger.attempts + 1):
            try:
                return await self._attempt(trigger, record)
            except RequestError as error:
                if error.status < 500 or attempt == trigger.attempts:
                    raise
                self._tell("warning", "upload-failed", f"attempt {attempt}: {error.message}", record)
                await self._sleep(delay_s(attempt, self._chance()))
        raise AssertionError("a trigger has one attempt at least")

    async def _attempt(self, trigger: Upload, record: ObjectRecord) -> Item:
        request = Request(
            id=record.event_id,
            body=await asyncio.to_thread(self._storage.read, record, self._limit),
            content_type=content_type(record.key),
            headers=request_headers(record),
        )
        response = await collected(await self._engine.invoke(request))
        if response.status >= 400:
            raise _refusal(response)
        if not await asyncio.to_thread(self._storage.current, record):
            raise Superseded(record)
        bucket, prefix = trigger.sink
        key = result_key(prefix, record.key, response.content_type)
        body = result_body(record, response.content_type, response.body)
        await asyncio.to_thread(self._storage.write, bucket, key, body, response.content_type)
        return {"result": f"s3://{bucket}/{key}"}

    def _tell(self, level: str, event: str, message: str, record: ObjectRecord) -> None:
        self._log({"level": level, "event": event, "message": message, "request_id": record.event_id})


def _refusal(response: Response) -> RequestError:
    """Return the error for an answer of 4xx, which no repetition mends, or of 5xx, which one may."""
    detail = str(json.loads(response.body)["detail"])
    return Unavailable(detail) if response.status >= 500 or response.status == BUSY else BadInput(detail)
