import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from tests.unit.providers.modal.shipped.uploads.test_receiving import TRIGGER, Entries

from preheat.errors import BodyTooLarge, NotFound, NotOffered, RequestError, Unavailable
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.objects.events import ObjectRecord
from preheat.runtime.objects.storage import Superseded
from preheat_providers.modal.shipped.uploads.working import Uploads

RECORD = ObjectRecord(
    bucket="in", key="a/ü.png", size=6, etag="e", version_id=None, sequencer="1", time=1_795_255_200.0
)
Answer = Callable[[Request], Response]


class Storage:
    """Buckets in memory; `fails` is raised by the next reads."""

    def __init__(self) -> None:
        self.written: dict[str, bytes] = {}
        self.fails: list[RequestError | Superseded] = []
        self.is_current = True

    def read(self, record: ObjectRecord, limit: int) -> bytes:
        if self.fails:
            raise self.fails.pop(0)
        return b"pixels"

    def current(self, record: ObjectRecord) -> bool:
        return self.is_current

    def write(self, bucket: str, key: str, body: bytes, media_type: str) -> None:
        self.written[f"{bucket}/{key}"] = body


class Engine:
    ready = True

    def __init__(self, answer: Answer) -> None:
        self.asked: list[Request] = []
        self._answer = answer

    async def invoke(self, request: Request) -> Response:
        self.asked.append(request)
        return self._answer(request)


class Bench:
    def __init__(self, answer: Answer = lambda request: Response(body=b'"seen"')) -> None:
        self.storage, self.engine, self.entries = Storage(), Engine(answer), Entries()
        self.slept: list[float] = []
        self.told: list[str] = []

    def run(self, trigger: str = "scans") -> Any:
        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        uploads = Uploads(
            [TRIGGER],
            self.engine,
            self.entries,
            self.storage,
            limit=10,
            sleep=sleep,
            chance=lambda: 1.0,
            log=lambda event: self.told.append(event["event"]),
        )
        return asyncio.run(uploads.run(trigger, asdict(RECORD)))


def refusing(error: RequestError) -> Answer:
    return lambda request: problem_response(error, request_id=request.id)


def test_the_answer_lies_where_the_trigger_says() -> None:
    bench = Bench()
    assert bench.run() == {"result": "s3://out/x/a/ü.png.json"}
    assert b'"result": "seen"' in bench.storage.written["out/x/a/ü.png.json"]
    [request] = bench.engine.asked
    assert (request.body, request.content_type) == (b"pixels", "image/png")
    assert request.headers["x-preheat-bucket"] == "in"


def test_what_was_done_is_not_done_again() -> None:
    bench = Bench()
    assert bench.run() == bench.run()
    assert len(bench.engine.asked) == 1


def test_a_deleted_object_is_no_failure() -> None:
    bench = Bench()
    bench.storage.fails = [NotFound("gone")]
    assert bench.run() is None
    assert bench.told == ["upload-skipped"]


def test_newer_content_is_left_to_its_own_event() -> None:
    bench = Bench()
    bench.storage.is_current = False
    assert bench.run() is None
    assert bench.storage.written == {}


def test_what_may_pass_is_tried_as_often_as_the_trigger_says() -> None:
    bench = Bench()
    bench.storage.fails = [Unavailable("slow down")] * 2
    assert bench.run() is not None
    assert bench.slept == [1.0, 2.0]
    bench = Bench(refusing(Unavailable("no")))
    assert bench.run() is None
    assert bench.told == ["upload-failed"] * TRIGGER.attempts
    assert len(bench.engine.asked) == TRIGGER.attempts
    assert bench.entries.kept == {}


def test_what_no_repetition_mends_is_tried_once() -> None:
    bench = Bench(refusing(BodyTooLarge("too large")))
    assert bench.run() is None
    assert (len(bench.engine.asked), bench.slept, bench.told) == (1, [], ["upload-failed"])


def test_a_trigger_of_another_release_is_named() -> None:
    with pytest.raises(NotOffered, match="other"):
        Bench().run("other")
