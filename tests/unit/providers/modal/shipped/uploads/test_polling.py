"""Uploads from a queue: what is taken is deleted, and what is not stays."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from tests.unit.providers.modal.shipped.uploads.test_receiving import TRIGGER, Entries, event

from preheat.errors import Unavailable
from preheat.runtime.objects.events import ObjectRecord, build_event
from preheat_providers.modal.shipped.uploads.intake import Intake
from preheat_providers.modal.shipped.uploads.polling import LONGEST_S, Message, Poller

RECORD = ObjectRecord(
    bucket="in", key="a/ü +1.png", size=6, etag="e", version_id=None, sequencer="1", time=1_795_255_200.0
)
OF_S3 = json.dumps(build_event(RECORD, trigger="t"))


class Letters:
    """A queue in memory that hands out two messages at a time."""

    def __init__(self, *bodies: str) -> None:
        self.kept = [Message(str(at), body, f"r{at}") for at, body in enumerate(bodies)]
        self.given = 0

    def receive(self) -> Sequence[Message]:
        found = self.kept[self.given : self.given + 2]
        self.given += len(found)
        return found

    def delete(self, messages: Sequence[Message]) -> None:
        self.kept = [each for each in self.kept if each not in messages]
        self.given -= len(messages)


class Bench:
    def __init__(self, *bodies: str, step_s: float = 0.0, failing: bool = False) -> None:
        self.letters, self.entries = Letters(*bodies), Entries()
        self.begun: list[Mapping[str, Any]] = []
        self.told: list[str] = []
        self.now, self.step_s, self.failing = 0.0, step_s, failing

    def run(self) -> None:
        def log(said: Mapping[str, Any]) -> None:
            self.told.append(said["event"])

        intake = Intake([TRIGGER], self.entries, self.begin, log=log)
        asyncio.run(Poller(self.letters, intake, clock=self.clock, log=log).run())

    def clock(self) -> float:
        self.now += self.step_s
        return self.now

    async def begin(self, trigger: str, uploaded: Mapping[str, Any]) -> str:
        if self.failing:
            raise Unavailable("Modal did not answer.")
        self.begun.append(uploaded)
        return f"fc-{len(self.begun)}"


@pytest.mark.parametrize("body", [OF_S3, event("a/ü +1.png", size=6).decode()], ids=["s3", "eventbridge"])
def test_a_message_of_either_kind_has_the_class_run_and_is_deleted(body: str) -> None:
    bench = Bench(body)
    bench.run()
    [uploaded] = bench.begun
    assert (ObjectRecord(**uploaded).key, bench.letters.kept) == (RECORD.key, [])


def test_all_that_is_there_is_taken_at_once() -> None:
    bench = Bench(*(event(f"a/{number}.png").decode() for number in range(7)))
    bench.run()
    assert (len(bench.begun), bench.letters.kept) == (7, [])


def test_an_upload_that_is_told_twice_is_run_once() -> None:
    bench = Bench(OF_S3, event("b/no-trigger.png").decode(), OF_S3)
    bench.run()
    assert (len(bench.begun), bench.letters.kept) == (1, [])
    assert bench.told == ["upload", "upload-again"]


@pytest.mark.parametrize("body", ["", "[]", '{"Records": [{}]}', "{"])
def test_what_names_no_upload_stays_and_the_rest_is_taken(body: str) -> None:
    bench = Bench(body, OF_S3)
    bench.run()
    assert [each.body for each in bench.letters.kept] == [body]
    assert (len(bench.begun), bench.told.count("upload-refused")) == (1, 1)


def test_the_test_message_of_a_bucket_is_deleted() -> None:
    bench = Bench(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "in"}))
    bench.run()
    assert (bench.begun, bench.letters.kept) == ([], [])


def test_what_could_not_be_queued_stays() -> None:
    bench = Bench(OF_S3, failing=True)
    with pytest.raises(Unavailable):
        bench.run()
    assert len(bench.letters.kept) == 1
    bench.failing = False
    bench.letters.given = 0
    bench.run()
    assert bench.letters.kept == []


def test_a_run_ends_before_the_next_one_begins() -> None:
    bench = Bench(*(event(f"a/{number}.png").decode() for number in range(20)), step_s=LONGEST_S / 2)
    bench.run()
    assert 0 < len(bench.letters.kept) < 20
