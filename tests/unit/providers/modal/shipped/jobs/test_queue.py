"""Jobs over a Dict and calls in memory: what is promised of them, whoever comes when."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from tests.fakes.modal_jobs import MemoryCalls, MemoryEntries

from preheat.errors import BadInput, Conflicting, NotFound, NotOffered, Unavailable
from preheat.interface.message import Request, Response
from preheat.runtime.jobs import Job
from preheat_providers.modal.shipped.jobs.calls import Forgotten, Lost
from preheat_providers.modal.shipped.jobs.queue import JobQueue
from preheat_providers.modal.shipped.jobs.records import Attempt, End, answered, attempt_key, end_key, job_key

T = TypeVar("T")


class World:
    """A queue at a time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.entries = MemoryEntries()
        self.calls = MemoryCalls()
        self.queue = JobQueue(self.entries, self.calls, clock=lambda: self.now)

    def submit(self, body: bytes = b"1", key: str | None = None, ttl_s: float | None = None) -> Job:
        return self.submitted(body, key, ttl_s)[0]

    def submitted(
        self, body: bytes = b"1", key: str | None = None, ttl_s: float | None = None
    ) -> tuple[Job, bool]:
        request = Request(id="r-1", body=body)
        return run(self.queue.submit(request, idempotency_key=key, webhook=None, ttl_s=ttl_s))

    def get(self, job: Job) -> Job:
        return run(self.queue.get(job.id))

    def begin(self, job: Job, number: int = 1) -> None:
        item = Attempt(number=number, started=self.now).item()
        run(self.entries.put(attempt_key(job.id), item))

    def finish(self, job: Job, response: Response, call: str = "fc-1") -> None:
        status: Any = "succeeded" if response.status < 400 else "failed"
        end = End(status=status, finished=self.now, started=self.now - 1, attempts=1)
        assert run(self.entries.add(end_key(job.id), end.item()))
        self.calls.outcomes[call] = answered(response)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.fixture
def world() -> World:
    return World()


def test_a_job_waits_until_its_call_begins_and_runs_until_it_has_ended(world: World) -> None:
    job = world.submit()
    assert (job.status, job.created, job.expires) == ("queued", 1000.0, 1000.0 + 24 * 3600)
    assert world.get(job).status == "queued"
    world.begin(job, number=2)
    running = world.get(job)
    assert (running.status, running.attempts, running.started) == ("running", 2, 1000.0)
    world.finish(job, Response(body=b'"a"'))
    ended = world.get(job)
    assert (ended.status, ended.finished) == ("succeeded", 1000.0)
    assert ended.response == Response(body=b'"a"')


def test_a_call_carries_all_of_the_request(world: World) -> None:
    request = Request(
        id="r-1", body=b"x", content_type="text/plain", accept="a/b", timeout_s=3, headers={"x-a": "b"}
    )
    run(world.queue.submit(request, idempotency_key=None, webhook=None, ttl_s=None))
    ((_, item),) = world.calls.spawned
    assert item == {
        "body": b"x",
        "content_type": "text/plain",
        "accept": "a/b",
        "timeout_s": 3,
        "headers": {"x-a": "b"},
    }


def test_an_end_without_its_answer_still_runs(world: World) -> None:
    job = world.submit()
    world.finish(job, Response())
    world.calls.outcomes.clear()
    assert world.get(job).status == "running"


def test_a_call_that_died_has_failed_for_good(world: World) -> None:
    job = world.submit()
    world.begin(job)
    world.calls.outcomes["fc-1"] = Lost("Its container ended.")
    failed = world.get(job)
    assert (failed.status, failed.attempts) == ("failed", 1)
    assert failed.response is not None
    assert failed.response.status == 502
    assert b"Its container ended." in failed.response.body
    world.now += 5
    assert world.get(job).finished == 1000.0


def test_an_answer_that_modal_has_forgotten_is_not_found(world: World) -> None:
    job = world.submit()
    world.calls.outcomes["fc-1"] = Forgotten()
    with pytest.raises(NotFound, match="expired"):
        world.get(job)
    world.finish(job, Response())
    world.calls.outcomes["fc-1"] = Forgotten()
    with pytest.raises(NotFound):
        world.get(job)


def test_a_job_expires(world: World) -> None:
    job = world.submit(ttl_s=10)
    world.now += 9.9
    assert world.get(job).status == "queued"
    world.now += 0.2
    with pytest.raises(NotFound):
        world.get(job)


@pytest.mark.parametrize("ttl_s", [0, -1, 7 * 24 * 3600 + 1])
def test_a_job_is_kept_a_week_at_most(world: World, ttl_s: float) -> None:
    with pytest.raises(BadInput, match="at most 604800"):
        world.submit(ttl_s=ttl_s)
    assert not world.calls.spawned


def test_there_are_no_webhooks(world: World) -> None:
    with pytest.raises(NotOffered):
        run(
            world.queue.submit(
                Request(id="1", body=b""), idempotency_key=None, webhook="https://a", ttl_s=None
            )
        )


def test_a_key_is_one_job(world: World) -> None:
    first, new = world.submitted(key="k")
    again, newer = world.submitted(key="k")
    assert (first.id, new, newer) == (again.id, True, False)
    assert len(world.calls.spawned) == 1


@pytest.mark.parametrize("other", [b"2", b""])
def test_a_key_of_another_request_conflicts(world: World, other: bytes) -> None:
    job = world.submit(key="k")
    with pytest.raises(Conflicting, match=job.id):
        world.submit(other, key="k")


def test_a_key_is_free_again_when_its_job_has_expired(world: World) -> None:
    first = world.submit(key="k", ttl_s=10)
    world.now += 11
    second, new = world.submitted(b"2", key="k")
    assert new
    assert second.id != first.id
    assert world.submitted(b"2", key="k") == (world.get(second), False)


def test_a_key_whose_job_was_never_recorded_begins_it(world: World) -> None:
    world.entries.broken = "job/"
    with pytest.raises(Unavailable):
        world.submit(key="k")
    world.entries.broken = None
    job, new = world.submitted(key="k")
    assert new
    assert world.get(job).status == "queued"


def test_a_job_that_cannot_be_recorded_is_not_run(world: World) -> None:
    world.entries.broken = "job/"
    with pytest.raises(Unavailable):
        world.submit()
    assert world.calls.cancelled == ["fc-1"]


def test_of_two_that_record_the_same_job_one_call_is_cancelled(world: World) -> None:
    job = world.submit(key="k")
    record = world.entries.items.pop(job_key(job.id))
    racing = world.queue

    async def race() -> Job:
        spawn = world.calls.spawn

        async def spawn_late(job_id: str, request: dict[str, Any]) -> str:
            call = await spawn(job_id, request)
            world.entries.items[job_key(job.id)] = record  # the first one comes to its end meanwhile
            return call

        world.calls.spawn = spawn_late  # type: ignore[method-assign]
        return (
            await racing.submit(Request(id="r", body=b"1"), idempotency_key="k", webhook=None, ttl_s=None)
        )[0]

    assert run(race()).id == job.id
    assert world.calls.cancelled == ["fc-2"]


def test_a_cancelled_job_has_no_result_even_if_its_call_answers(world: World) -> None:
    job = world.submit()
    world.begin(job)
    cancelled = run(world.queue.cancel(job.id))
    assert (cancelled.status, cancelled.attempts, cancelled.response) == ("cancelled", 1, None)
    assert world.calls.cancelled == ["fc-1"]
    world.calls.outcomes["fc-1"] = answered(Response())
    assert world.get(job).status == "cancelled"


def test_a_job_that_has_ended_is_not_cancelled(world: World) -> None:
    job = world.submit()
    world.finish(job, Response(status=422))
    assert run(world.queue.cancel(job.id)).status == "failed"
    assert not world.calls.cancelled


def test_nobody_cancels_what_there_is_not(world: World) -> None:
    with pytest.raises(NotFound):
        run(world.queue.cancel("nothing"))
