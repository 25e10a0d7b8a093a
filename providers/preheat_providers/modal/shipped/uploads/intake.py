"""Takes uploads that AWS tells of, each once: notes it, and has the model's class run on it. Ships."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from preheat.runtime.log import Log, log_to_stderr
from preheat.runtime.objects.events import ObjectRecord
from preheat.runtime.objects.uploads import Upload
from preheat_providers.modal.shipped.jobs.calls import Entries
from preheat_providers.modal.shipped.uploads.taking import upload_key

Begin = Callable[[str, Mapping[str, Any]], Awaitable[str]]
"""Has the class run on an upload, given the trigger's name and the record; returns the call's id."""


class Intake:
    """The uploads of one function. Raises Unavailable where Modal does not answer; then nothing is lost."""

    def __init__(
        self,
        triggers: Iterable[Upload],
        entries: Entries,
        begin: Begin,
        *,
        log: Log = log_to_stderr,
    ) -> None:
        self._triggers = tuple(triggers)
        self._entries = entries
        self._begin = begin
        self._log = log

    async def take(self, record: ObjectRecord) -> Mapping[str, Any]:
        """Queue the upload unless it was queued; return its call, or why there is none."""
        trigger = next((each for each in self._triggers if each.wants(record.bucket, record.key)), None)
        if trigger is None:
            return {"skipped": "no trigger of this function takes it"}
        key = upload_key(trigger, record)
        known = await self._entries.get(key)
        if known is not None:
            self._tell("upload-again", record, "was delivered again", known["call"])
            return known
        # Begun first and noted then: one that comes twice in between runs twice, and none is lost.
        taken = {"call": await self._begin(trigger.name, asdict(record))}
        await self._entries.put(key, taken)
        self._tell("upload", record, "is queued", taken["call"])
        return taken

    def _tell(self, event: str, record: ObjectRecord, what: str, call: str) -> None:
        message = f"s3://{record.bucket}/{record.key} {what}"
        self._log({"level": "info", "event": event, "message": message, "call_id": call})
