import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.fakes.engine import FakeEngine, Stalled
from tests.fakes.patience import PATIENCE_S
from tests.fakes.queue import FAST, FUNCTION, FakeClock, answers, queue, request

from preheat.errors import BadInput, HandlerFailed, Overloaded, Unavailable, WorkerDied
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat_providers.local.jobs import FunctionJobs, JobRunner, JobStore
from preheat_providers.local.jobs.model import Claim

DIED = problem_response(WorkerDied("The worker ended."))
FAILED = problem_response(HandlerFailed("predict raised."))
BUSY = problem_response(Overloaded("The queue is full."))
BAD = problem_response(BadInput("No text."))
DOWN = problem_response(Unavailable("No worker could start."))
FINE = Response(body=b"[1]")


@pytest.mark.parametrize(
    ("given", "status", "attempts"),
    [
        ((FINE,), "succeeded", 1),
        ((DIED, FINE), "succeeded", 2),
        ((DOWN, FAILED, FINE), "succeeded", 3),
        ((FAILED,), "failed", 3),
        ((BAD,), "failed", 1),
        ((BUSY, BUSY, BUSY, BUSY, BUSY, FINE), "succeeded", 6),
    ],
)
def test_an_answer_is_tried_again_when_another_attempt_may_mend_it(
    tmp_path: Path, given: tuple[Response, ...], status: str, attempts: int
) -> None:
    async def main() -> None:
        async with queue(tmp_path, FakeEngine(answers(*given))) as home:
            job, _ = await home.jobs().submit(request(), idempotency_key=None, webhook=None, ttl_s=None)
            done = await home.done(job.id)
            assert (done.status, done.attempts) == (status, attempts)
            assert done.response == given[-1]

    asyncio.run(main())


def test_the_time_that_an_answer_asks_for_is_waited(tmp_path: Path) -> None:
    clock = FakeClock()
    busy = problem_response(Overloaded("Full.", retry_after_s=7))

    async def main() -> None:
        async with queue(tmp_path, FakeEngine(answers(busy, FINE)), clock=clock) as home:
            job, _ = await home.jobs().submit(request(), idempotency_key=None, webhook=None, ttl_s=None)
            await home.events.until("job-retry")
            assert (await home.store.lanes())[0].due == clock.now + 7
            clock.now += 7
            home.runner.wake()
            assert (await home.done(job.id)).status == "succeeded"

    asyncio.run(main())


def test_a_broken_engine_answers_its_job_all_the_same(tmp_path: Path) -> None:
    async def broken(_: Request) -> Response:
        raise ZeroDivisionError

    async def main() -> None:
        async with queue(tmp_path, FakeEngine(broken)) as home:
            job, _ = await home.jobs().submit(request(), idempotency_key=None, webhook=None, ttl_s=None)
            done = await home.done(job.id)
            assert done.status == "failed"
            assert done.response is not None
            assert json.loads(done.response.body)["status"] == 500
            assert b"ZeroDivision" not in done.response.body

    asyncio.run(main())


def test_a_stream_is_recorded_whole(tmp_path: Path) -> None:
    async def chunked(_: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"
            yield b"data: 2\n\n"

        return Response(content_type="text/event-stream", chunks=chunks())

    async def main() -> None:
        async with queue(tmp_path, FakeEngine(chunked)) as home:
            job, _ = await home.jobs().submit(request(), idempotency_key=None, webhook=None, ttl_s=None)
            done = await home.done(job.id)
            assert done.response is not None
            assert done.response.body == b"data: 1\n\ndata: 2\n\n"

    asyncio.run(main())


def test_cancelling_a_running_job_cancels_its_invocation(tmp_path: Path) -> None:
    stalled = Stalled()

    async def main() -> None:
        async with queue(tmp_path, FakeEngine(stalled)) as home:
            jobs = home.jobs()
            job, _ = await jobs.submit(request(), idempotency_key=None, webhook=None, ttl_s=None)
            await stalled.begun.wait()
            assert (await jobs.cancel(job.id)).status == "cancelled"
            await stalled.cancelled.wait()
            assert (await jobs.get(job.id)).status == "cancelled"

    asyncio.run(main())


class PutBackLate(JobStore):
    """Says that a row is back in the queue only once the next attempt at it, `stalled`, has begun."""

    def __init__(self, path: Path, runner_of: Callable[[], JobRunner], stalled: Stalled) -> None:
        super().__init__(path, clock=time.time)
        self.runner_of = runner_of
        self.stalled = stalled
        self.said = asyncio.Event()

    async def put_back(self, claim: Claim, *, not_before: float, failed: bool) -> bool:
        queued = await super().put_back(claim, not_before=not_before, failed=failed)
        self.runner_of().wake()
        await self.stalled.begun.wait()
        self.said.set()
        return queued


def test_an_attempt_that_ends_after_the_next_has_begun_leaves_that_its_place(tmp_path: Path) -> None:
    async def main() -> None:
        stalled, given = Stalled(), [DIED]

        async def answer(asked: Request) -> Response:
            return given.pop() if given else await stalled(asked)

        engine = FakeEngine(answer)
        store = PutBackLate(tmp_path / "jobs.db", lambda: runner, stalled)
        runner = JobRunner(store, {FUNCTION: engine}.get, retry=FAST)
        await runner.start()
        try:
            jobs = FunctionJobs(store, runner, FUNCTION, 3600)
            job, _ = await jobs.submit(request(), idempotency_key=None, webhook=None, ttl_s=None)
            await store.said.wait()
            for _ in range(5):
                await asyncio.sleep(0)  # until the first attempt has ended
            assert (await jobs.cancel(job.id)).status == "cancelled"
            await asyncio.wait_for(stalled.cancelled.wait(), PATIENCE_S)
        finally:
            await runner.stop()
            store.close()

    asyncio.run(main())


def test_what_runs_when_the_runner_stops_runs_again_at_the_next_start(tmp_path: Path) -> None:
    stalled = Stalled()

    async def main() -> None:
        async with queue(tmp_path, FakeEngine(stalled)) as home:
            job, _ = await home.jobs().submit(request(), idempotency_key=None, webhook=None, ttl_s=None)
            await stalled.begun.wait()
        async with queue(tmp_path) as home:
            done = await home.done(job.id)
            assert (done.status, done.attempts) == ("succeeded", 2)

    asyncio.run(main())


def test_no_function_waits_for_another(tmp_path: Path) -> None:
    stalled = Stalled()

    async def main() -> None:
        async with queue(tmp_path, FakeEngine(stalled), per_function=2) as home:
            home.engines["fast@dev"] = FakeEngine()
            for _ in range(6):
                await home.jobs().submit(request(), idempotency_key=None, webhook=None, ttl_s=None)
            job, _ = await home.jobs("fast@dev").submit(
                request(), idempotency_key=None, webhook=None, ttl_s=None
            )
            assert (await home.done(job.id, "fast@dev")).status == "succeeded"
            counts = await home.store.counts(FUNCTION)
            assert (counts.running, counts.queued) == (2, 4)

    asyncio.run(main())


def test_rows_of_a_function_that_cannot_run_wait_for_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with queue(tmp_path) as home:
            engine = home.engines.pop(FUNCTION)
            job, _ = await home.jobs().submit(request(), idempotency_key=None, webhook=None, ttl_s=None)
            other, _ = await home.jobs().submit(request(), idempotency_key=None, webhook=None, ttl_s=None)
            assert (await home.store.counts(FUNCTION)).queued == 2
            home.engines[FUNCTION] = engine
            home.runner.wake()
            assert (await home.done(job.id)).attempts == 1
            assert (await home.done(other.id)).attempts == 1

    asyncio.run(main())


def test_every_job_of_many_is_run_once(tmp_path: Path) -> None:
    async def main() -> None:
        engine = FakeEngine()
        async with queue(tmp_path, engine) as home:
            jobs = home.jobs()
            ids = set()
            for number in range(200):
                job, _ = await jobs.submit(
                    request(b"%d" % number), idempotency_key=None, webhook=None, ttl_s=None
                )
                ids.add(job.id)
            await home.events.until("job-succeeded", 200)
            assert {each.id for each in engine.requests} == ids
            assert len(engine.requests) == 200

    asyncio.run(main())


def test_an_answer_that_the_disk_refuses_is_kept_and_recorded_later(tmp_path: Path) -> None:
    async def main() -> None:
        async with queue(tmp_path, FakeEngine(answers(Response(body=b"x" * 60_000)))) as home:
            job, _ = await home.jobs().submit(request(), idempotency_key=None, webhook=None, ttl_s=None)
            assert (await home.done(job.id)).status == "succeeded"
            await home.store.database.read(lambda connection: _limit_pages(connection, 0))
            home.engines[FUNCTION] = engine = FakeEngine(answers(Response(body=b"x" * 60_000)))
            second, _ = await home.jobs().submit(request(), idempotency_key=None, webhook=None, ttl_s=None)
            await home.events.until("job-not-recorded")
            assert (await home.store.get(FUNCTION, second.id)).status == "running"
            await home.store.database.read(lambda connection: _limit_pages(connection, 10_000))
            done = await home.done(second.id)
            assert (done.status, done.attempts, len(engine.requests)) == ("succeeded", 1, 1)

    asyncio.run(main())


def _limit_pages(connection: sqlite3.Connection, more: int) -> None:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + more}")


@pytest.mark.parametrize(
    "webhook",
    ["ftp://a.example/x", "http:///x", "https://u:p@a.example/", "https://a.example/ x", "https://[::1"],
)
def test_a_webhook_that_would_be_refused_refuses_the_job(tmp_path: Path, webhook: str) -> None:
    async def main() -> None:
        async with queue(tmp_path) as home:
            with pytest.raises(BadInput, match=r"[Ww]ebhook"):
                await home.jobs().submit(request(), idempotency_key=None, webhook=webhook, ttl_s=None)
            assert await home.store.lanes() == ()

    asyncio.run(main())


@pytest.mark.parametrize("ttl_s", [0, -1, float("nan")])
def test_a_time_to_live_is_positive(tmp_path: Path, ttl_s: float) -> None:
    async def main() -> None:
        async with queue(tmp_path) as home:
            with pytest.raises(BadInput, match="above 0"):
                await home.jobs().submit(request(), idempotency_key=None, webhook=None, ttl_s=ttl_s)

    asyncio.run(main())
