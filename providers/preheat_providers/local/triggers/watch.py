"""Notices files that appear in a folder, by inotify, and what appeared while nobody watched, by a scan."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Hashable
from pathlib import Path

from watchfiles import Change, awatch

from preheat_providers.local.jobs import Alarm
from preheat_providers.local.triggers.buckets import Found
from preheat_providers.local.triggers.folder import FolderBucket
from preheat_providers.local.triggers.intake import Intake, same
from preheat_providers.local.triggers.settling import Settling

SETTLE_S = 0.5
GROUP_MS = 200
STEP_MS = 50
FOLDER = "folder"


Changes = AsyncGenerator[set[tuple[Change, str]], None]


def inotify(root: Path, stop: asyncio.Event) -> Changes:
    """Yield what changes below `root`, in groups, until `stop` is set."""
    return awatch(root, watch_filter=None, debounce=GROUP_MS, step=STEP_MS, stop_event=stop)


class FolderWatch:
    """One trigger's watch on one folder. A file is taken once it stood still for `settle_s`."""

    def __init__(
        self,
        bucket: FolderBucket,
        intake: Intake,
        *,
        settle_s: float = SETTLE_S,
        monotonic: Callable[[], float] = time.monotonic,
        changes: Callable[[Path, asyncio.Event], Changes] = inotify,
    ) -> None:
        self._bucket = bucket
        self._intake = intake
        self._monotonic = monotonic
        self._changes = changes
        self._settling = Settling(settle_s)
        self._alarm = Alarm(monotonic)

    async def run(self, ready: Callable[[], None]) -> None:
        """Watch until cancelled; `ready` is called when nothing can be missed any more.

        Raises OSError when the folder cannot be watched (any longer).
        """
        root = self._bucket.root
        root.mkdir(parents=True, exist_ok=True)
        stop = asyncio.Event()
        reader = asyncio.create_task(self._read(self._changes(root, stop)))
        reader.add_done_callback(lambda _: self._alarm.wake())
        try:
            # The watch exists once the reader has run up to its first wait; a scan before could miss a file.
            await asyncio.sleep(0)
            found = await self._bucket.list(self._intake.trigger.prefix)
            wanted = tuple(each for each in found if self._intake.wants(each.key))
            for each in await self._intake.missed(self._bucket.place, wanted):
                self._seen(each)
            ready()
            while not reader.done():
                await self._alarm.until(self._settling.due())
                for path, stamp in self._settling.ripe(self._monotonic()):
                    await self._ripe(path, stamp)
            await reader
        finally:
            stop.set()
            await asyncio.gather(reader, return_exceptions=True)

    async def _read(self, batches: Changes) -> None:
        async for changes in batches:
            for _, name in changes:
                path = Path(name)
                if path.is_dir():
                    # Files may have come before the new folder was watched, so it is looked through
                    # now and once more when it has been watched for a while.
                    self._settling.seen(path, FOLDER, self._monotonic())
                    await self._scan(path)
                elif (found := self._bucket.find(path)) is not None:
                    self._seen(found)
                else:
                    self._settling.gone(path)
            if not self._bucket.root.is_dir():
                raise FileNotFoundError(f"The folder {self._bucket.root} of a bucket is gone.")
            self._alarm.wake()

    async def _scan(self, folder: Path) -> None:
        for found in await self._bucket.scan(folder):
            self._seen(found)

    def _seen(self, found: Found) -> None:
        if self._intake.wants(found.key):
            stamp = (found.size, found.mtime_ns)
            self._settling.seen(self._bucket.root / found.key, stamp, self._monotonic())

    async def _ripe(self, path: Path, stamp: Hashable) -> None:
        if stamp == FOLDER:
            await self._scan(path)
            return
        found = self._bucket.find(path)
        if found is None:
            return
        if (found.size, found.mtime_ns) != stamp:
            self._seen(found)
        elif not same(found, await self._intake.known_object(found.key)):
            record = await self._bucket.identify(found)
            if record is None:
                # It changed while it was read, or went away: the event of that tells the rest.
                return
            await self._intake.take(self._bucket.place, record, mtime_ns=found.mtime_ns)
