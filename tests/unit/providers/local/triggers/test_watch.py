import asyncio
from pathlib import Path

from tests.fakes.buckets import uploads
from tests.fakes.queue import FUNCTION, queue
from watchfiles import Change

from preheat_providers.local.triggers.buckets import Place
from preheat_providers.local.triggers.folder import FolderBucket
from preheat_providers.local.triggers.intake import Intake, Sink
from preheat_providers.local.triggers.watch import Changes, FolderWatch


def test_a_file_that_came_before_its_new_folder_was_watched_is_found(tmp_path: Path) -> None:
    root = tmp_path / "buckets" / "uploads"

    ready = asyncio.Event()

    async def changes(folder: Path, stop: asyncio.Event) -> Changes:
        """Tell of a new folder; the file comes after a look at it, and nothing tells of the file."""
        await ready.wait()
        (folder / "new").mkdir()
        yield {(Change.added, str(folder / "new"))}
        (folder / "new" / "a.png").write_bytes(b"x")
        await stop.wait()

    async def main() -> None:
        async with queue(tmp_path) as home:
            place = Place(name="uploads", location=str(root))
            sink = Sink(place=Place(name="results", location=str(tmp_path / "results")), prefix="")
            intake = Intake(
                home.store, home.runner, function=FUNCTION, trigger=uploads(), sink=sink, log=home.events
            )
            bucket = FolderBucket(place, log=home.events)
            watch = FolderWatch(bucket, intake, settle_s=0.02, changes=changes)
            task = asyncio.create_task(watch.run(ready.set))
            (queued,) = await home.events.until("object-queued")
            assert queued["key"] == "new/a.png"
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
