"""From an object that appeared to a queued delivery: the one way in for every source."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from preheat.interface.message import Request
from preheat.project.model import ObjectCreated
from preheat.runtime.objects.events import ObjectRecord, build_event
from preheat_providers.local.jobs import Delivery, JobRunner, JobStore, KnownObject, Log, TriggerMemory
from preheat_providers.local.triggers.buckets import Found, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink:
    """Where results go: keys under `prefix` of the bucket at `place`."""

    place: Place
    prefix: str


class Intake:
    """Queues what one trigger of one function takes."""

    def __init__(
        self,
        store: JobStore,
        runner: JobRunner,
        *,
        function: str,
        trigger: ObjectCreated,
        sink: Sink,
        log: Log,
    ) -> None:
        self.function = function
        self.trigger = trigger
        self.log = log
        self._store = store
        self._runner = runner
        self._sink = sink
        self._memory = TriggerMemory(store.database)

    def wants(self, key: str) -> bool:
        """Say whether the trigger's filters let `key` through."""
        return key.startswith(self.trigger.prefix) and key.endswith(self.trigger.suffix)

    async def take(
        self, place: Place, record: ObjectRecord, *, mtime_ns: int = 0, remember: bool = True
    ) -> bool:
        """Queue a delivery unless this version of the object was queued before; return whether it was not.

        `remember` also keeps the version for as long as the object exists, which a bucket's own
        listing needs; a queue's messages need it only for as long as duplicates can come.
        """
        event = build_event(record, trigger=self.trigger.name)
        known = KnownObject(
            trigger=self.trigger.name,
            key=record.key,
            version=record.version,
            size=record.size,
            mtime_ns=mtime_ns,
        )
        delivery = Delivery(
            # The sequencer tells a duplicate of an event from the same bytes put again after others.
            key=f"{self.trigger.name}:{record.event_id}:{record.sequencer}",
            request=Request(id="", body=b""),
            source={"trigger": self.trigger.name, "place": asdict(place), "event": event},
            sink=asdict(self._sink),
            attempts=self.trigger.attempts,
            known=known if remember else None,
        )
        new = await self._store.deliver(self.function, delivery)
        if new:
            self.log(
                "object-queued",
                function=self.function,
                trigger=self.trigger.name,
                bucket=record.bucket,
                key=record.key,
                event_id=record.event_id,
            )
            self._runner.wake()
        return new

    async def missed(self, place: Place, found: tuple[Found, ...]) -> tuple[Found, ...]:
        """Return which of the objects in the bucket are news, and forget those that are gone.

        The first look of a trigger finds none: what was there before it is for `backfill`.
        """
        watched = json.dumps([place.location, self.trigger.prefix, self.trigger.suffix])
        known = await self.known()
        if await self._memory.cursor(self.function, self.trigger.name) != watched:
            old = [each for each in found if each.key not in known]
            await self._memory.remember(self.function, [self._before(each) for each in old])
            await self._memory.set_cursor(self.function, self.trigger.name, watched)
            return ()
        present = {each.key for each in found}
        await self._memory.forget(self.function, self.trigger.name, known.keys() - present)
        return tuple(each for each in found if not same(each, known.get(each.key)))

    async def known(self) -> Mapping[str, KnownObject]:
        """Return the objects that the trigger has seen, by key."""
        return await self._memory.known(self.function, self.trigger.name)

    async def known_object(self, key: str) -> KnownObject | None:
        """Return what the trigger knows of one object."""
        return await self._memory.known_object(self.function, self.trigger.name, key)

    def _before(self, found: Found) -> KnownObject:
        return KnownObject(
            trigger=self.trigger.name,
            key=found.key,
            version=None,
            size=found.size,
            mtime_ns=found.mtime_ns,
        )


def same(found: Found, known: KnownObject | None) -> bool:
    """Say whether an object is as it was when it was recorded, without reading it."""
    if known is None or (found.size, found.mtime_ns) != (known.size, known.mtime_ns):
        return False
    return found.etag is None or known.version is None or found.etag == known.version
