"""A function that is destroyed while deliveries are being queued for it: none outlives it."""

import asyncio
from pathlib import Path

import pytest
from tests.fakes.buckets import put, uploads
from tests.fakes.engine import FakeEngine
from tests.fakes.queue import FUNCTION, Queue, answers, queue

from preheat.errors import BadInput, ProviderError
from preheat.interface.problem import problem_response
from preheat_providers.local.options import Options


async def destroy(home: Queue) -> None:
    """Do to the triggers and the queue what the end of the function does."""
    await home.host.detach(FUNCTION)
    await home.runner.forget(FUNCTION)


def test_a_backfill_ends_with_the_function_and_leaves_nothing_queued(tmp_path: Path) -> None:
    for number in range(50):
        put(tmp_path, f"{number}.png", b"%d" % number)

    async def main() -> None:
        async with queue(tmp_path) as home:
            home.engines.clear()
            await home.host.attach(FUNCTION, (uploads(),), Options())
            filling = asyncio.create_task(home.host.backfill(FUNCTION, str(tmp_path / "buckets/uploads")))
            await home.events.until("object-queued")
            await destroy(home)
            with pytest.raises(ProviderError, match="not everything was queued"):
                await filling
            assert await home.store.lanes() == ()

    asyncio.run(main())


def test_a_replay_ends_with_the_function_and_leaves_nothing_queued(tmp_path: Path) -> None:
    async def fail() -> None:
        async with queue(tmp_path, FakeEngine(answers(problem_response(BadInput("No picture."))))) as home:
            await home.host.attach(FUNCTION, (uploads(),), Options())
            for number in range(20):
                put(tmp_path, f"{number}.png", b"%d" % number)
            await home.events.until("delivery-failed", 20)

    async def replay() -> None:
        async with queue(tmp_path) as home:
            home.engines.clear()
            await home.host.attach(FUNCTION, (uploads(),), Options())
            replaying = asyncio.create_task(home.host.replay(FUNCTION))
            await asyncio.sleep(0)
            await destroy(home)
            with pytest.raises(ProviderError, match="not everything was queued"):
                await replaying
            assert await home.store.lanes() == ()
            with pytest.raises(ProviderError, match="not deployed"):
                await home.host.replay(FUNCTION)

    asyncio.run(fail())
    for path in tmp_path.glob("jobs.db*"):
        path.unlink()
    asyncio.run(replay())
