"""Buckets behind an S3 endpoint, over real HTTP: polling, the event queue, and results written back."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.buckets import letters, put, uploads
from tests.fakes.engine import FakeEngine
from tests.fakes.patience import PATIENCE_S
from tests.fakes.queue import FUNCTION, Queue, queue

from preheat.interface.manifest import Limits
from preheat.runtime.objects.events import ObjectRecord, build_event
from preheat_providers.local.options import Options
from preheat_providers.local.triggers.aws import s3_client, sqs_client

KEYS = ["a.png", "with space+plus.png", "ümlaut/100%.png", "in//double.png"]


class Real:
    """The buckets of a test, `uploads` and `results`, and a queue."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.s3 = s3_client(endpoint)
        for bucket in ("real-uploads", "real-results"):
            self.s3.create_bucket(Bucket=bucket)
        self.sqs = sqs_client(f"{endpoint}/")
        self.queue_url = self.sqs.create_queue(QueueName="events")["QueueUrl"]

    def options(self, events: str = "poll", **more: str) -> Options:
        buckets = {"uploads": "s3://real-uploads", "results": "s3://real-results", **more}
        return Options(buckets=buckets, s3_endpoint=self.endpoint, events=events)

    def put(self, key: str, body: bytes) -> str:
        return self.s3.put_object(Bucket="real-uploads", Key=key, Body=body)["ETag"].strip('"')

    def send(self, body: object) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=text)

    def results(self) -> dict[str, Any]:
        listed = self.s3.list_objects_v2(Bucket="real-results").get("Contents", [])
        return {
            each["Key"]: self.s3.get_object(Bucket="real-results", Key=each["Key"])["Body"].read()
            for each in listed
        }

    def left(self) -> int:
        attributes = self.sqs.get_queue_attributes(
            QueueUrl=self.queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return sum(int(count) for count in attributes["Attributes"].values())


@pytest.fixture
def real(s3_endpoint: str) -> Real:
    return Real(s3_endpoint)


def with_trigger(
    home: Path,
    options: Options,
    work: Callable[[Queue], Awaitable[None]],
    *,
    limits: Limits | None = None,
    **trigger: Any,
) -> FakeEngine:
    engine = FakeEngine()

    async def main() -> None:
        async with queue(home, engine) as opened:
            await opened.host.attach(FUNCTION, (uploads(**trigger),), options, limits=limits)
            await work(opened)

    asyncio.run(main())
    return engine


def test_polling_runs_what_is_new_and_writes_results_back(tmp_path: Path, real: Real) -> None:
    real.put("before.png", b"there before the first deploy")

    async def work(home: Queue) -> None:
        for key in KEYS:
            await asyncio.to_thread(real.put, key, key.encode())
        await home.events.until("delivery-succeeded", len(KEYS))

    engine = with_trigger(tmp_path, real.options(), work)
    assert {each.body.decode() for each in engine.requests} == set(KEYS)
    assert set(real.results()) == {f"out/{key}.png" for key in KEYS}


def test_polling_takes_up_what_came_while_down_and_new_content(tmp_path: Path, real: Real) -> None:
    async def first(home: Queue) -> None:
        await asyncio.to_thread(real.put, "a.json", b"1")
        await home.events.until("delivery-succeeded")

    async def second(home: Queue) -> None:
        await home.events.until("delivery-succeeded", 2)

    with_trigger(tmp_path, real.options(), first)
    etag = real.put("a.json", b"22")
    real.put("b.json", b"3")
    engine = with_trigger(tmp_path, real.options(), second)
    assert sorted(each.body for each in engine.requests) == [b"22", b"3"]
    assert json.loads(real.results()["out/a.json.json"]) == {
        "object": {"bucket": "real-uploads", "key": "a.json", "etag": etag},
        "result": 22,
    }


def test_events_of_the_bucket_arrive_through_its_queue(tmp_path: Path, real: Real) -> None:
    arn = real.sqs.get_queue_attributes(QueueUrl=real.queue_url, AttributeNames=["QueueArn"])
    real.s3.put_bucket_notification_configuration(
        Bucket="real-uploads",
        NotificationConfiguration={
            "QueueConfigurations": [
                {"QueueArn": arn["Attributes"]["QueueArn"], "Events": ["s3:ObjectCreated:*"]}
            ]
        },
    )

    async def work(home: Queue) -> None:
        for key in KEYS[:3]:
            await asyncio.to_thread(real.put, key, key.encode())
        await home.events.until("delivery-succeeded", 3)

    with_trigger(tmp_path, real.options(real.queue_url), work)
    assert set(real.results()) == {f"out/{key}.png" for key in KEYS[:3]}
    assert letters(tmp_path) == []


def record(real: Real, key: str, etag: str, bucket: str = "real-uploads") -> ObjectRecord:
    return ObjectRecord(
        bucket=bucket, key=key, size=1, etag=etag, version_id=None, sequencer="0055AE", time=1_700_000_000
    )


def test_a_message_is_run_once_however_often_it_comes(tmp_path: Path, real: Real) -> None:
    event = build_event(record(real, "a b.json", real.put("a b.json", b"1")), trigger="t")
    other = build_event(record(real, "c.txt", real.put("c.txt", b"2")), trigger="t")
    foreign = build_event(record(real, "a b.json", "e", bucket="somebody-elses"), trigger="t")
    real.send({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "real-uploads"})
    for message in (event, event, other, foreign, event):
        real.send(message)

    async def work(home: Queue) -> None:
        await home.events.until("delivery-succeeded")
        await _emptied(real)
        assert len(home.events.named("object-queued")) == 1

    engine = with_trigger(tmp_path, real.options(real.queue_url), work, suffix=".json")
    assert [each.body for each in engine.requests] == [b"1"]


async def _emptied(real: Real) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await asyncio.to_thread(real.left):
            await asyncio.sleep(0.05)


def test_a_message_that_is_no_event_becomes_a_dead_letter(tmp_path: Path, real: Real) -> None:
    real.send("not json")
    real.send({"detail-type": "Object Created"})

    async def work(home: Queue) -> None:
        await home.events.until("event-refused", 2)
        await _emptied(real)
        assert await home.host.replay(FUNCTION) == 0

    with_trigger(tmp_path, real.options(real.queue_url), work)
    assert {each["message"] for each in letters(tmp_path)} == {
        "not json",
        '{"detail-type": "Object Created"}',
    }


def test_an_object_that_is_gone_or_too_large_fails_with_that_reason(tmp_path: Path, real: Real) -> None:
    real.send(build_event(record(real, "gone.png", "e" * 32), trigger="t"))
    real.send(build_event(record(real, "large.png", real.put("large.png", b"x" * 11)), trigger="t"))

    async def work(home: Queue) -> None:
        await home.events.until("delivery-failed", 2)

    with_trigger(tmp_path, real.options(real.queue_url), work, limits=Limits(body_bytes=10))
    assert {each["reason"]["status"] for each in letters(tmp_path)} == {404, 413}


def test_an_event_of_content_that_was_replaced_is_left_to_the_newer_event(tmp_path: Path, real: Real) -> None:
    old = real.put("a.json", b"1")
    new = real.put("a.json", b"2")
    real.send(build_event(record(real, "a.json", old), trigger="t"))

    async def work(home: Queue) -> None:
        await home.events.until("delivery-cancelled")
        await asyncio.to_thread(real.send, build_event(record(real, "a.json", new), trigger="t"))
        await home.events.until("delivery-succeeded")

    engine = with_trigger(tmp_path, real.options(real.queue_url), work)
    assert [each.body for each in engine.requests] == [b"2"]


def test_backfill_reads_a_bucket_and_prefix(tmp_path: Path, real: Real) -> None:
    for key in ("in/a.png", "in/b.png", "out-of-it.png"):
        real.put(key, b"x")

    async def work(home: Queue) -> None:
        assert await home.host.backfill(FUNCTION, "s3://real-uploads/in/") == 2
        await home.events.until("delivery-succeeded", 2)
        assert await home.host.backfill(FUNCTION, "s3://real-uploads/in/") == 0
        assert await home.host.backfill(FUNCTION, "s3://real-uploads") == 1

    with_trigger(tmp_path, real.options(), work)


def test_a_folder_may_feed_a_bucket(tmp_path: Path, real: Real) -> None:
    async def work(home: Queue) -> None:
        put(tmp_path, "a.png", b"x")
        await home.events.until("delivery-succeeded")

    options = Options(buckets={"results": "s3://real-results"}, s3_endpoint=real.endpoint)
    with_trigger(tmp_path, options, work)
    assert real.results() == {"out/a.png.png": b"x"}


def test_an_endpoint_that_is_away_is_said_and_tried_again_without_its_credentials(
    tmp_path: Path, real: Real
) -> None:
    events: list[object] = []

    async def work(home: Queue) -> None:
        await home.events.until("trigger-failed")
        events.extend(home.events.seen)

    with_trigger(tmp_path, real.options(uploads="s3://no-such-bucket"), work)
    text = json.dumps(events, default=str)
    assert "NoSuchBucket" in text
    assert "never-to-be-logged" not in text
    assert "AKIATESTONLY" not in text
