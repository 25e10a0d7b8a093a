"""Files appear in a folder that stands for a bucket, results in another: inotify, SQLite, disk are real."""

import asyncio
import hashlib
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.fakes.buckets import letters, put, results, uploads
from tests.fakes.engine import FakeEngine
from tests.fakes.queue import FUNCTION, Queue, answers, queue

from preheat.errors import BadInput, HandlerFailed, ProviderError
from preheat.interface.manifest import Limits
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat.project.model import ObjectCreated
from preheat_providers.local.options import Options

ANSWER = Response(body=b'{"n": 1.10}')


def with_uploads(
    home: Path,
    work: Callable[[Queue], Awaitable[None]],
    *,
    engine: FakeEngine | None = None,
    trigger: ObjectCreated | None = None,
    options: Options | None = None,
    limits: Limits | None = None,
) -> None:
    """Attach the trigger and run `work` with it."""

    async def main() -> None:
        async with queue(home, engine or FakeEngine(answers(ANSWER))) as opened:
            await opened.host.attach(FUNCTION, (trigger or uploads(),), options or Options(), limits=limits)
            await work(opened)

    asyncio.run(main())


def test_an_upload_becomes_a_request_and_its_answer_a_result(tmp_path: Path) -> None:
    engine = FakeEngine(answers(ANSWER))

    async def work(home: Queue) -> None:
        put(tmp_path, "scans/a b+c.png", b"pixels")
        await home.events.until("delivery-succeeded")

    with_uploads(tmp_path, work, engine=engine)
    (asked,) = engine.requests
    assert (asked.body, asked.content_type) == (b"pixels", "image/png")
    assert asked.headers["x-preheat-bucket"] == "uploads"
    assert asked.headers["x-preheat-key"] == "scans/a+b%2Bc.png"
    assert len(asked.headers["x-preheat-event-id"]) == 32
    etag = hashlib.md5(b"pixels").hexdigest()
    assert list(results(tmp_path)) == ["out/scans/a b+c.png.json"]
    body = results(tmp_path)["out/scans/a b+c.png.json"]
    assert json.loads(body)["object"] == {"bucket": "uploads", "key": "scans/a b+c.png", "etag": etag}
    assert b'"result": {"n": 1.10}' in body


def test_an_answer_that_is_not_json_is_written_as_it_is(tmp_path: Path) -> None:
    async def work(home: Queue) -> None:
        put(tmp_path, "a.txt", b"x")
        await home.events.until("delivery-succeeded")

    engine = FakeEngine(answers(Response(content_type="image/png", body=b"\x89PNG")))
    with_uploads(tmp_path, work, engine=engine)
    assert results(tmp_path) == {"out/a.txt.png": b"\x89PNG"}


AWKWARD = [
    "with space.png",
    "plus+plus.png",
    "100%.png",
    "%2e%2e%2fup.png",
    "ümlaut/日本語.png",
    "quote'\"<>&.png",
    "new\nline.png",
    "/".join(["d" * 200] * 5) + "/" + "e" * 15 + ".png",
]


def test_awkward_keys_arrive_and_leave_as_they_are(tmp_path: Path) -> None:
    async def work(home: Queue) -> None:
        for key in AWKWARD:
            put(tmp_path, key, key.encode())
        await home.events.until("delivery-succeeded", len(AWKWARD))

    assert len(AWKWARD[-1].encode()) == 1024
    with_uploads(tmp_path, work)
    found = {json.loads(body)["object"]["key"] for body in results(tmp_path).values()}
    assert found == set(AWKWARD)
    assert set(results(tmp_path)) == {f"out/{key}.json" for key in AWKWARD}


def test_only_what_the_filters_let_through_is_run(tmp_path: Path) -> None:
    async def work(home: Queue) -> None:
        for key in (
            "in/a.txt",
            "other/b.png",
            "in/.hidden.png",
            "in/half.png.part",
            "in/half.tmp",
            "in/c.png",
        ):
            put(tmp_path, key, b"x")
        await home.events.until("delivery-succeeded")

    with_uploads(tmp_path, work, trigger=uploads(prefix="in/", suffix=".png"))
    assert list(results(tmp_path)) == ["out/in/c.png.json"]


def test_a_file_that_is_renamed_into_place_is_an_object(tmp_path: Path) -> None:
    async def work(home: Queue) -> None:
        put(tmp_path, ".upload.tmp", b"pixels").rename(tmp_path / "buckets/uploads/a.png")
        await home.events.until("delivery-succeeded")

    with_uploads(tmp_path, work)
    assert list(results(tmp_path)) == ["out/a.png.json"]


def test_a_folder_that_is_moved_in_brings_all_its_objects(tmp_path: Path) -> None:
    async def work(home: Queue) -> None:
        for number in range(5):
            put(tmp_path, f"deep/er/{number}.png", b"%d" % number, bucket="elsewhere")
        (tmp_path / "buckets/elsewhere/deep").rename(tmp_path / "buckets/uploads/deep")
        await home.events.until("delivery-succeeded", 5)

    with_uploads(tmp_path, work)
    assert len(results(tmp_path)) == 5


def test_a_file_that_grows_is_taken_when_it_is_whole(tmp_path: Path) -> None:
    engine = FakeEngine(answers(ANSWER))

    async def work(home: Queue) -> None:
        path = put(tmp_path, "a.png", b"")
        with path.open("ab") as stream:
            for _ in range(20):
                stream.write(b"x")
                stream.flush()
                await asyncio.sleep(0.01)
        await home.events.until("delivery-succeeded")

    with_uploads(tmp_path, work, engine=engine)
    assert engine.requests[-1].body == b"x" * 20


def test_the_same_bytes_again_are_not_run_again_and_new_ones_are(tmp_path: Path) -> None:
    engine = FakeEngine(answers(ANSWER))

    async def work(home: Queue) -> None:
        for body in (b"one", b"one", b"two", b"one"):
            put(tmp_path, "a.png", body)
            put(tmp_path, "marker.png", os.urandom(8))
            before = len(home.events.named("delivery-succeeded"))
            await home.events.until("delivery-succeeded", before + 1)
            await _quiet(home)

    with_uploads(tmp_path, work, engine=engine)
    bodies = [each.body for each in engine.requests if len(each.body) == 3]
    assert bodies == [b"one", b"two", b"one"]


async def _quiet(home: Queue) -> None:
    """Return when nothing is queued or running, some time after the last file settled."""
    marker = put(home.home, f"quiet-{os.urandom(8).hex()}.png", os.urandom(8))
    key = marker.name
    await home.events.until_one(lambda name, fields: name == "object-queued" and fields.get("key") == key)
    count = len(home.events.named("object-queued"))
    await home.events.until("delivery-succeeded", count)


def test_what_came_while_nobody_watched_is_run_and_what_was_there_before_is_not(tmp_path: Path) -> None:
    put(tmp_path, "old.png", b"before the first deploy")

    async def nothing(home: Queue) -> None:
        pass

    async def work(home: Queue) -> None:
        await home.events.until("delivery-succeeded", 2)

    with_uploads(tmp_path, nothing)
    put(tmp_path, "missed.png", b"while down")
    put(tmp_path, "also/missed.png", b"while down")
    with_uploads(tmp_path, work)
    with_uploads(tmp_path, nothing)
    assert sorted(results(tmp_path)) == ["out/also/missed.png.json", "out/missed.png.json"]


def test_what_is_queued_when_the_function_is_detached_runs_when_it_is_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with queue(tmp_path, FakeEngine(answers(ANSWER))) as home:
            await home.host.attach(FUNCTION, (uploads(),), Options())
            home.engines.clear()
            put(tmp_path, "a.png", b"x")
            await home.events.until("object-queued")
            await home.host.detach(FUNCTION)
            home.engines[FUNCTION] = FakeEngine(answers(ANSWER))
            await home.host.attach(FUNCTION, (uploads(),), Options())
            await home.events.until("delivery-succeeded")

    asyncio.run(main())
    assert list(results(tmp_path)) == ["out/a.png.json"]


def test_a_link_that_leaves_the_bucket_is_refused_and_said(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"private")

    async def work(home: Queue) -> None:
        (tmp_path / "buckets/uploads/link.png").symlink_to(secret)
        (tmp_path / "buckets/uploads/loop.png").symlink_to("loop.png")
        os.mkfifo(tmp_path / "buckets/uploads/pipe.png")
        (refused,) = (await home.events.until("object-refused"))[:1]
        assert "leaves the bucket" in str(refused["reason"]) or "loop" in str(refused["reason"])
        put(tmp_path, "fine.png", b"x")
        (tmp_path / "buckets/uploads/inside.png").symlink_to("fine.png")
        await home.events.until("delivery-succeeded", 2)

    with_uploads(tmp_path, work)
    assert sorted(results(tmp_path)) == ["out/fine.png.json", "out/inside.png.json"]


def test_a_name_that_is_not_utf_8_is_refused_and_said(tmp_path: Path) -> None:
    async def work(home: Queue) -> None:
        (tmp_path / "buckets/uploads/new").mkdir()
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/buckets/uploads/new/\xff.png")).write_bytes(b"x")
        refused = await home.events.until("object-refused")
        assert "not UTF-8" in str(refused[0]["reason"])
        put(tmp_path, "fine.png", b"x")
        await home.events.until("delivery-succeeded")

    with_uploads(tmp_path, work)
    assert list(results(tmp_path)) == ["out/fine.png.json"]


def test_an_object_that_is_gone_or_too_large_is_a_dead_letter_with_that_reason(tmp_path: Path) -> None:
    async def main() -> None:
        async with queue(tmp_path) as home:
            engine = home.engines.pop(FUNCTION)
            await home.host.attach(FUNCTION, (uploads(),), Options(), limits=Limits(body_bytes=10))
            gone = put(tmp_path, "gone.png", b"x")
            put(tmp_path, "large.png", b"x" * 11)
            await home.events.until("object-queued", 2)
            gone.unlink()
            home.engines[FUNCTION] = engine
            home.runner.wake()
            await home.events.until("delivery-failed", 2)

    asyncio.run(main())
    reasons = {
        each["event"]["Records"][0]["s3"]["object"]["key"]: each["reason"] for each in letters(tmp_path)
    }
    assert (reasons["gone.png"]["status"], reasons["large.png"]["status"]) == (404, 413)
    assert "deleted before it was read" in reasons["gone.png"]["detail"]
    assert "11 bytes; the limit is 10" in reasons["large.png"]["detail"]


def test_a_failure_is_retried_then_kept_then_replayed_once(tmp_path: Path) -> None:
    engine = FakeEngine(answers(problem_response(HandlerFailed("predict raised."))))

    async def work(home: Queue) -> None:
        put(tmp_path, "a.png", b"x")
        await home.events.until("delivery-failed")
        (letter,) = letters(tmp_path)
        assert (letter["attempts"], letter["reason"]["detail"]) == (2, "predict raised.")
        assert letter["event"]["Records"][0]["s3"]["object"]["key"] == "a.png"
        assert results(tmp_path) == {}
        assert len(engine.requests) == 2
        engine.answer = answers(ANSWER)
        assert await home.host.replay(FUNCTION) == 1
        assert letters(tmp_path) == []
        await home.events.until("delivery-succeeded")
        assert await home.host.replay(FUNCTION) == 0

    with_uploads(tmp_path, work, engine=engine, trigger=uploads(attempts=2))
    assert list(results(tmp_path)) == ["out/a.png.json"]
    assert len(engine.requests) == 3


def test_a_replay_that_was_cut_off_does_not_run_a_delivery_twice(tmp_path: Path) -> None:
    engine = FakeEngine(answers(problem_response(BadInput("No picture."))))

    async def work(home: Queue) -> None:
        put(tmp_path, "a.png", b"x")
        await home.events.until("delivery-failed")
        (path,) = (tmp_path / "dead-letters" / FUNCTION / "uploads").glob("*.json")
        letter = path.read_bytes()
        engine.answer = answers(ANSWER)
        assert await home.host.replay(FUNCTION) == 1
        path.write_bytes(letter)
        assert await home.host.replay(FUNCTION) == 0
        assert letters(tmp_path) == []
        await home.events.until("delivery-succeeded")

    with_uploads(tmp_path, work, engine=engine)
    assert len(engine.requests) == 2


def test_a_dead_letter_outlives_the_job_store(tmp_path: Path) -> None:
    async def fail(home: Queue) -> None:
        put(tmp_path, "a.png", b"x")
        await home.events.until("delivery-failed")

    async def again(home: Queue) -> None:
        assert await home.host.replay(FUNCTION) == 1
        await home.events.until("delivery-succeeded")

    with_uploads(tmp_path, fail, engine=FakeEngine(answers(problem_response(BadInput("No picture.")))))
    for path in tmp_path.glob("jobs.db*"):
        path.unlink()
    with_uploads(tmp_path, again)
    assert list(results(tmp_path)) == ["out/a.png.json"]


def test_a_dead_letter_that_cannot_be_read_is_left_where_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "dead-letters" / FUNCTION / "uploads"
    folder.mkdir(parents=True)
    (folder / "broken.json").write_text('{"id": ')

    async def work(home: Queue) -> None:
        assert await home.host.replay(FUNCTION) == 0
        assert home.events.named("dead-letter-unreadable")

    with_uploads(tmp_path, work)
    assert (folder / "broken.json").exists()


def test_backfill_runs_what_was_there_before_and_nothing_twice(tmp_path: Path) -> None:
    for number in range(3):
        put(tmp_path, f"in/{number}.png", b"%d" % number)
    put(tmp_path, "in/no.txt", b"x")

    async def work(home: Queue) -> None:
        folder = str(tmp_path / "buckets/uploads")
        put(tmp_path, "in/new.png", b"new")
        await home.events.until("delivery-succeeded")
        assert await home.host.backfill(FUNCTION, folder) == 3
        await home.events.until("delivery-succeeded", 4)
        assert await home.host.backfill(FUNCTION, f"{folder}/in") == 0

    with_uploads(tmp_path, work, trigger=uploads(suffix=".png"))
    assert len(results(tmp_path)) == 4


def test_backfill_takes_a_folder_that_no_trigger_watches(tmp_path: Path) -> None:
    other = tmp_path / "archive"
    (other / "2024").mkdir(parents=True)
    (other / "2024" / "a.png").write_bytes(b"x")

    async def work(home: Queue) -> None:
        assert await home.host.backfill(FUNCTION, str(other)) == 1
        await home.events.until("delivery-succeeded")
        assert await home.host.backfill(FUNCTION, str(other)) == 0
        with pytest.raises(ProviderError, match="no folder"):
            await home.host.backfill(FUNCTION, str(tmp_path / "nowhere"))
        with pytest.raises(ProviderError, match="not deployed"):
            await home.host.backfill("else@dev", str(other))

    with_uploads(tmp_path, work)
    document = json.loads(results(tmp_path)["out/2024/a.png.json"])
    assert document["object"]["bucket"] == "archive"


def test_an_object_that_changes_while_it_runs_gets_the_newer_result(tmp_path: Path) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow_first(request: Request) -> Response:
        if request.body == b"first":
            begun.set()
            await go.wait()
        return Response(body=json.dumps(request.body.decode()).encode())

    async def work(home: Queue) -> None:
        put(tmp_path, "a.png", b"first")
        await begun.wait()
        put(tmp_path, "a.png", b"second")
        await home.events.until("delivery-succeeded")
        go.set()
        await home.events.until("delivery-cancelled")

    with_uploads(tmp_path, work, engine=FakeEngine(slow_first))
    assert json.loads(results(tmp_path)["out/a.png.json"])["result"] == "second"


def test_a_result_that_cannot_be_written_is_a_dead_letter_and_leaves_no_part(tmp_path: Path) -> None:
    (tmp_path / "buckets/results").mkdir(parents=True)
    (tmp_path / "buckets/results/out").write_bytes(b"a file where the folder should be")

    async def work(home: Queue) -> None:
        put(tmp_path, "a.png", b"x")
        await home.events.until("delivery-failed")

    with_uploads(tmp_path, work)
    (letter,) = letters(tmp_path)
    assert letter["reason"]["status"] == 503
    assert list(results(tmp_path)) == ["out"]


def test_a_folder_that_is_removed_is_made_and_watched_again(tmp_path: Path) -> None:
    async def work(home: Queue) -> None:
        (tmp_path / "buckets/uploads").rmdir()
        await home.events.until("trigger-failed")
        await home.events.until("trigger-recovered")
        put(tmp_path, "a.png", b"x")
        await home.events.until("delivery-succeeded")

    with_uploads(tmp_path, work)


def test_triggers_that_cannot_be_attached_say_so_and_leave_the_old_ones(tmp_path: Path) -> None:
    async def work(home: Queue) -> None:
        with pytest.raises(ProviderError, match="set it off again"):
            await home.host.attach(FUNCTION, (uploads(output="uploads/x"),), Options())
        put(tmp_path, "a.png", b"x")
        await home.events.until("delivery-succeeded")

    with_uploads(tmp_path, work)
