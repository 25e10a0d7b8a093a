import asyncio
import errno
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.queue import FUNCTION, FakeClock, request

from preheat.errors import Conflicting, NotFound, ProviderError, Unavailable
from preheat.interface.message import Request, Response
from preheat_providers.local.jobs import Claim, Delivery, JobStore, KnownObject
from preheat_providers.local.jobs.files import Bodies

LARGE = bytes(range(256)) * 1024


def in_store(path: Path, work: Callable[[JobStore], Awaitable[None]], clock: FakeClock | None = None) -> None:
    store = JobStore(path / "jobs.db", clock=clock or FakeClock())
    try:

        async def main() -> None:
            await work(store)

        asyncio.run(main())
    finally:
        store.close()


async def one(store: JobStore, function: str = FUNCTION) -> Claim:
    (claim,) = await store.claim(function, ("job",), 1)
    return claim


def delivery(key: str, version: str = "v1") -> Delivery:
    known = KnownObject(trigger="uploads", key=key, version=version, size=1, mtime_ns=1)
    return Delivery(
        key=f"{key}:{version}",
        request=Request(id="", body=b""),
        source={"trigger": "uploads"},
        sink=None,
        attempts=3,
        known=known,
    )


@pytest.mark.parametrize("body", [b"", b"small", LARGE])
def test_a_request_and_its_answer_come_back_as_they_were(tmp_path: Path, body: bytes) -> None:
    sent = Request(
        id="r", body=body, content_type="image/png", accept="text/plain", timeout_s=7.5, headers={"x-a": "b"}
    )
    answer = Response(
        status=201, content_type="image/jpeg", body=body[::-1], headers={"x-c": "d"}, model_ms=3.5
    )

    async def work(store: JobStore) -> None:
        job, new = await store.submit(FUNCTION, sent, expires=2e9)
        claim = await one(store)
        assert new
        assert claim.request == replace(sent, id=job.id)
        assert await store.finish(claim, "succeeded", answer)
        assert (await store.get(FUNCTION, job.id)).response == answer

    in_store(tmp_path, work)


def test_a_result_is_recorded_once_whichever_attempt_brings_it(tmp_path: Path) -> None:
    async def work(store: JobStore) -> None:
        job, _ = await store.submit(FUNCTION, request(), expires=2e9)
        first = await one(store)
        await store.put_back(first, not_before=0, failed=True)
        second = await one(store)
        assert not await store.finish(first, "succeeded", Response(body=b"late"))
        assert await store.finish(second, "succeeded", Response(body=b"second"))
        assert not await store.finish(second, "failed", Response(body=b"again"))
        done = await store.get(FUNCTION, job.id)
        assert (done.status, done.attempts, done.response) == ("succeeded", 2, Response(body=b"second"))

    in_store(tmp_path, work)


def test_a_stale_attempt_leaves_no_file_and_does_not_touch_the_newer_answer(tmp_path: Path) -> None:
    async def work(store: JobStore) -> None:
        job, _ = await store.submit(FUNCTION, request(), expires=2e9)
        first = await one(store)
        await store.put_back(first, not_before=0, failed=True)
        second = await one(store)
        await store.finish(second, "succeeded", Response(body=LARGE))
        await store.finish(first, "succeeded", Response(body=LARGE[::-1]))
        done = await store.get(FUNCTION, job.id)
        assert done.response is not None
        assert done.response.body == LARGE
        assert len(list((tmp_path / "jobs.db.bodies").iterdir())) == 1

    in_store(tmp_path, work)


def test_what_was_running_when_the_process_ended_is_queued_again(tmp_path: Path) -> None:
    async def before(store: JobStore) -> None:
        await store.submit(FUNCTION, request(LARGE), expires=2e9)
        await one(store)

    async def after(store: JobStore) -> None:
        assert await store.recover() == 1
        claim = await one(store)
        assert (claim.attempt, claim.failures, claim.request.body) == (2, 0, LARGE)

    in_store(tmp_path, before)
    (tmp_path / "jobs.db.bodies" / "orphan.request").write_bytes(b"a crash came before its row")
    in_store(tmp_path, after)
    assert not (tmp_path / "jobs.db.bodies" / "orphan.request").exists()


def test_an_idempotency_key_names_one_request(tmp_path: Path) -> None:
    async def work(store: JobStore) -> None:
        first, new = await store.submit(FUNCTION, request(), expires=2e9, idempotency_key="k")
        again, fresh = await store.submit(FUNCTION, request(), expires=2e9, idempotency_key="k")
        other, elsewhere = await store.submit("else@dev", request(b"2"), expires=2e9, idempotency_key="k")
        assert (new, fresh, elsewhere) == (True, False, True)
        assert first == again
        assert other.id != first.id
        with pytest.raises(Conflicting, match=first.id):
            await store.submit(FUNCTION, request(b"2"), expires=2e9, idempotency_key="k")
        with pytest.raises(Conflicting):
            await store.submit(FUNCTION, request(content_type="text/plain"), expires=2e9, idempotency_key="k")

    in_store(tmp_path, work)


def test_an_expired_key_is_free_again(tmp_path: Path) -> None:
    clock = FakeClock()

    async def work(store: JobStore) -> None:
        await store.submit(FUNCTION, request(), expires=clock.now + 10, idempotency_key="k")
        clock.now += 10
        _, new = await store.submit(FUNCTION, request(b"2"), expires=clock.now + 10, idempotency_key="k")
        assert new

    in_store(tmp_path, work, clock)


def test_an_expired_job_is_gone_with_its_bodies_and_never_runs(tmp_path: Path) -> None:
    clock = FakeClock()

    async def work(store: JobStore) -> None:
        job, _ = await store.submit(FUNCTION, request(LARGE), expires=clock.now + 10)
        assert await store.purge() == clock.now + 10
        clock.now += 10
        with pytest.raises(NotFound):
            await store.get(FUNCTION, job.id)
        assert await store.claim(FUNCTION, ("job",), 1) == ()
        assert await store.purge() is None
        assert list((tmp_path / "jobs.db.bodies").iterdir()) == []

    in_store(tmp_path, work, clock)


def test_a_job_belongs_to_its_function(tmp_path: Path) -> None:
    async def work(store: JobStore) -> None:
        job, _ = await store.submit(FUNCTION, request(), expires=2e9)
        with pytest.raises(NotFound):
            await store.get("else@dev", job.id)
        with pytest.raises(NotFound):
            await store.cancel("else@dev", job.id)

    in_store(tmp_path, work)


def test_cancelling_ends_what_has_not_finished_and_only_that(tmp_path: Path) -> None:
    async def work(store: JobStore) -> None:
        queued, _ = await store.submit(FUNCTION, request(), expires=2e9)
        assert (await store.cancel(FUNCTION, queued.id)).status == "cancelled"
        done, _ = await store.submit(FUNCTION, request(), expires=2e9)
        await store.finish(await one(store), "succeeded", Response())
        assert (await store.cancel(FUNCTION, done.id)).status == "succeeded"
        running, _ = await store.submit(FUNCTION, request(), expires=2e9)
        claim = await one(store)
        assert (await store.cancel(FUNCTION, running.id)).status == "cancelled"
        assert not await store.finish(claim, "succeeded", Response())

    in_store(tmp_path, work)


def test_jobs_and_deliveries_take_turns(tmp_path: Path) -> None:
    async def work(store: JobStore) -> None:
        for number in range(4):
            await store.deliver(FUNCTION, delivery(f"{number}.png"))
        for _ in range(2):
            await store.submit(FUNCTION, request(), expires=2e9)
        taken = await store.claim(FUNCTION, ("delivery", "job"), 5)
        assert [claim.kind for claim in taken] == ["delivery", "job", "delivery", "job", "delivery"]

    in_store(tmp_path, work)


def test_a_version_of_an_object_is_delivered_once(tmp_path: Path) -> None:
    async def work(store: JobStore) -> None:
        assert await store.deliver(FUNCTION, delivery("a.png"))
        assert not await store.deliver(FUNCTION, delivery("a.png"))
        assert await store.deliver(FUNCTION, delivery("a.png", "v2"))
        assert await store.deliver("else@dev", delivery("a.png"))

    in_store(tmp_path, work)


def test_a_delivered_object_is_remembered_after_its_row_has_expired(tmp_path: Path) -> None:
    clock = FakeClock()

    async def work(store: JobStore) -> None:
        await store.deliver(FUNCTION, delivery("a.png"))
        (claim,) = await store.claim(FUNCTION, ("delivery",), 1)
        await store.finish(claim, "succeeded", Response())
        clock.now += 30 * 24 * 3600
        await store.purge()
        assert (await store.counts(FUNCTION)).succeeded == 0
        assert not await store.deliver(FUNCTION, delivery("a.png"))

    in_store(tmp_path, work, clock)


def test_a_queued_delivery_never_expires(tmp_path: Path) -> None:
    clock = FakeClock()

    async def work(store: JobStore) -> None:
        await store.deliver(FUNCTION, delivery("a.png"))
        clock.now += 365 * 24 * 3600
        assert await store.purge() is None
        assert len(await store.claim(FUNCTION, ("delivery",), 1)) == 1

    in_store(tmp_path, work, clock)


def test_a_failed_delivery_is_revived_once(tmp_path: Path) -> None:
    async def work(store: JobStore) -> None:
        await store.deliver(FUNCTION, delivery("a.png"))
        (claim,) = await store.claim(FUNCTION, ("delivery",), 1)
        await store.finish(claim, "failed", Response(status=500, body=b"{}"))
        assert await store.revive(claim.id, claim.attempt) is True
        assert await store.revive(claim.id, claim.attempt) is False
        assert await store.revive("0" * 32, 1) is None

    in_store(tmp_path, work)


def test_a_row_whose_body_is_gone_fails_with_that_reason(tmp_path: Path) -> None:
    async def work(store: JobStore) -> None:
        job, _ = await store.submit(FUNCTION, request(LARGE), expires=2e9)
        (tmp_path / "jobs.db.bodies" / f"{job.id}.request").unlink()
        assert await store.claim(FUNCTION, ("job",), 1) == ()
        failed = await store.get(FUNCTION, job.id)
        assert failed.status == "failed"
        assert failed.response is not None
        assert b"body is gone" in failed.response.body

    in_store(tmp_path, work)


def test_forgetting_a_function_leaves_nothing_of_it(tmp_path: Path) -> None:
    async def work(store: JobStore) -> None:
        await store.submit(FUNCTION, request(LARGE), expires=2e9)
        await store.deliver(FUNCTION, delivery("a.png"))
        kept, _ = await store.submit("else@dev", request(), expires=2e9)
        assert await store.forget(FUNCTION) == 2
        assert list((tmp_path / "jobs.db.bodies").iterdir()) == []
        assert await store.deliver(FUNCTION, delivery("a.png"))
        assert (await store.get("else@dev", kept.id)).id == kept.id

    in_store(tmp_path, work)


class FullDisk(Bodies):
    """A folder that takes no more."""

    def write(self, name: str, body: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_large_body_that_the_disk_refuses_leaves_no_row(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.db", clock=FakeClock(), bodies=FullDisk(tmp_path / "bodies"))

    async def work() -> None:
        with pytest.raises(Unavailable, match="No space left on device"):
            await store.submit(FUNCTION, request(LARGE), expires=2e9)
        assert await store.lanes() == ()
        await store.submit(FUNCTION, request(), expires=2e9)

    asyncio.run(work())
    store.close()


def test_a_full_database_refuses_a_job_and_keeps_what_it_has(tmp_path: Path) -> None:
    async def work(store: JobStore) -> None:
        kept, _ = await store.submit(FUNCTION, request(), expires=2e9)

        def limit(connection: sqlite3.Connection) -> None:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")

        await store.database.read(limit)
        with pytest.raises(Unavailable, match="full") as refused:
            await store.submit(FUNCTION, request(b"x" * 60_000), expires=2e9)
        assert refused.value.retry_after_s is not None
        assert (await store.get(FUNCTION, kept.id)).status == "queued"

    in_store(tmp_path, work)


def test_a_row_that_does_not_fit_takes_its_large_body_back(tmp_path: Path) -> None:
    async def work(store: JobStore) -> None:
        def limit(connection: sqlite3.Connection) -> None:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")

        await store.database.read(limit)
        with pytest.raises(Unavailable, match="full"):
            await store.submit(FUNCTION, replace(request(LARGE), headers={"x-a": "b" * 60_000}), expires=2e9)
        assert list((tmp_path / "jobs.db.bodies").iterdir()) == []

    in_store(tmp_path, work)


def test_a_file_that_is_no_database_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").write_bytes(b"half-written" * 500)
    with pytest.raises(ProviderError) as refused:
        JobStore(tmp_path / "jobs.db")
    assert str(tmp_path / "jobs.db") in refused.value.message
    assert refused.value.hint is not None
    assert "mv " in refused.value.hint


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "jobs.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ProviderError, match="version 99"):
        JobStore(tmp_path / "jobs.db")


def test_the_webhook_secret_of_a_function_stays_the_same(tmp_path: Path) -> None:
    async def work(store: JobStore) -> None:
        secret = await store.webhook_secret(FUNCTION)
        assert len(secret) == 32
        assert await store.webhook_secret(FUNCTION) == secret
        assert await store.webhook_secret("else@dev") != secret

    in_store(tmp_path, work)
