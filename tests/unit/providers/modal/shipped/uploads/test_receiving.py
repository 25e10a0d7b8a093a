import asyncio
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest

from preheat.runtime.objects.events import ObjectRecord, read_notification
from preheat.runtime.objects.uploads import Upload
from preheat_providers.modal.shipped.jobs.records import Item
from preheat_providers.modal.shipped.uploads.intake import Intake
from preheat_providers.modal.shipped.uploads.receiving import LONGEST_BODY, Receiver
from preheat_providers.modal.uploads.template import HEADER

KEY = b"the-key"
TRIGGER = Upload(name="scans", bucket="in", prefix="a/", suffix=".png", output="out/x")


class Entries:
    """A Dict in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Item] = {}

    async def add(self, key: str, item: Item) -> bool:
        return self.kept.setdefault(key, item) is item

    async def put(self, key: str, item: Item) -> None:
        self.kept[key] = item

    async def get(self, key: str) -> Item | None:
        return self.kept.get(key)


class Bench:
    def __init__(self, *, failing: bool = False) -> None:
        self.begun: list[tuple[str, Mapping[str, Any]]] = []
        self.entries = Entries()
        self.failing = failing
        intake = Intake([TRIGGER], self.entries, self.begin, log=lambda event: None)
        self.receiver = Receiver(intake, key_sha256=hashlib.sha256(KEY).hexdigest())

    async def begin(self, trigger: str, uploaded: Mapping[str, Any]) -> str:
        if self.failing:
            raise ConnectionError
        self.begun.append((trigger, uploaded))
        return f"fc-{len(self.begun)}"

    def ask(self, body: bytes, key: bytes = KEY, method: str = "POST") -> tuple[int, Any]:
        sent: list[Mapping[str, Any]] = []
        pieces = [body[:10], body[10:]]

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "headers": [(HEADER.encode(), key)]}
        asyncio.run(self.receiver(scope, receive, send))
        return sent[0]["status"], json.loads(sent[1]["body"])


def event(key: str = "a/1.png", **more: Any) -> bytes:
    stored = {"key": key, "etag": "e", "sequencer": "1", **more}
    head = {"source": "aws.s3", "detail-type": "Object Created", "time": "2026-11-21T10:00:00Z"}
    return json.dumps({**head, "detail": {"bucket": {"name": "in"}, "object": stored}}).encode()


def test_an_upload_has_the_class_run_on_it() -> None:
    bench = Bench()
    assert bench.ask(event()) == (200, {"call": "fc-1"})
    [(trigger, uploaded)] = bench.begun
    assert (trigger, ObjectRecord(**uploaded)) == ("scans", read_notification(json.loads(event())))


def test_the_same_upload_again_is_the_same_call() -> None:
    bench = Bench()
    assert bench.ask(event()) == bench.ask(event())
    assert len(bench.begun) == 1


@pytest.mark.parametrize("more", [{"sequencer": "2"}, {"etag": "f"}, {"version-id": "v"}])
def test_newer_content_is_another_call(more: dict[str, str]) -> None:
    bench = Bench()
    bench.ask(event())
    assert bench.ask(event(**more)) == (200, {"call": "fc-2"})


@pytest.mark.parametrize("key", [b"", b"the-keys", b"The-key"])
def test_without_the_key_nothing_is_read(key: bytes) -> None:
    bench = Bench()
    assert bench.ask(b"{", key)[0] == 401
    assert bench.begun == []


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"1", b'{"source": "aws.ec2", "detail-type": "Object Created"}', b'{"source": "aws.s3"}'],
)
def test_what_is_no_event_of_s3_is_refused(body: bytes) -> None:
    assert Bench().ask(body)[0] == 400


@pytest.mark.parametrize("key", ["b/1.png", "a/1.jpg", "a/"])
def test_what_no_trigger_takes_is_skipped_and_not_repeated(key: str) -> None:
    bench = Bench()
    status, said = bench.ask(event(key))
    assert (status, "skipped" in said, bench.begun) == (200, True, [])


def test_a_deletion_is_skipped() -> None:
    bench = Bench()
    assert bench.ask(event().replace(b"Object Created", b"Object Deleted"))[0] == 200
    assert bench.begun == []


def test_what_is_too_long_or_no_post_is_refused() -> None:
    assert Bench().ask(b" " * (LONGEST_BODY + 1))[0] == 413
    assert Bench().ask(event(), method="GET")[0] == 405


def test_an_upload_that_could_not_be_queued_is_not_noted_as_queued() -> None:
    bench = Bench(failing=True)
    with pytest.raises(ConnectionError):  # Modal makes it a 500, and EventBridge repeats
        bench.ask(event())
    assert bench.entries.kept == {}
    bench.failing = False
    assert bench.ask(event()) == (200, {"call": "fc-1"})
