from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.fakes.lambda_events import (
    Context,
    failures,
    s3_event,
    s3_eventbridge,
    s3_test_event,
    sqs_event,
    sqs_message,
)
from tests.fakes.lambda_work import Bucket, Length, Remembered, Told, result

from preheat_providers.aws_lambda.shipped.events.messages import Messages
from preheat_providers.aws_lambda.shipped.events.uploads import Uploads
from preheat_providers.aws_lambda.shipped.events.work import Worker
from preheat_providers.aws_lambda.shipped.settings import Queue, Upload


@dataclass
class Bench:
    bucket: Bucket = field(default_factory=Bucket)
    told: Told = field(default_factory=Told)
    model: Length = field(default_factory=Length)
    once: Remembered = field(default_factory=Remembered)

    takes_uploads: bool = True

    def deliver(self, *messages: dict[str, Any], left_ms: int = 60_000) -> list[str]:
        worker = Worker(self.model, self.once, self.told)
        upload = Upload(name="uploads", bucket="in", output="out/")
        uploads = Uploads([upload], self.bucket, worker, self.told, limit=100) if self.takes_uploads else None
        found = Messages([Queue(name="jobs", queue="inputs")], uploads, worker, self.told)
        return failures(found.deliver(sqs_event(*messages), Context(left_ms=left_ms)))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def numbered(*bodies: Any, queue: str = "news") -> list[dict[str, Any]]:
    return [sqs_message(body, queue=queue, number=number) for number, body in enumerate(bodies)]


def test_news_of_uploads_run_them_whichever_way_they_came(bench: Bench) -> None:
    first = s3_event(bench.bucket.put("in", "a b.txt", b"1"))
    second = bench.bucket.put("in", "c.txt", b"22")
    bridged = s3_eventbridge("in", "c.txt", etag=second["s3"]["object"]["eTag"])
    assert bench.deliver(*numbered(first, s3_test_event("in"), bridged)) == []
    assert result(bench.bucket, "out", "a b.txt.json")["result"] == 1
    assert result(bench.bucket, "out", "c.txt.json")["result"] == 2


def test_a_poison_message_comes_again_and_the_others_do_not(bench: Bench) -> None:
    events = [s3_event(bench.bucket.put("in", f"{body!r}", body)) for body in (b"1", b"poison", b"22")]
    messages = numbered(*events)
    assert bench.deliver(*messages) == [messages[1]["messageId"]]
    assert bench.deliver(messages[1]) == [messages[1]["messageId"]], "until the queue gives it up"
    assert bench.told.kinds() == ["done", "failed", "done", "failed"]


@pytest.mark.parametrize("body", ["", "{", "[]", '{"Records": [{}]}', '{"text": "hello"}', "\u00fc"])
def test_what_is_no_news_fails_alone(bench: Bench, body: str) -> None:
    good = s3_event(bench.bucket.put("in", "a.txt", b"1"))
    messages = numbered(good, body)
    assert bench.deliver(*messages) == [messages[1]["messageId"]]
    assert "no trigger takes inputs from 'news'" in bench.told.lines[-1][1]


def test_news_of_uploads_fail_where_no_trigger_takes_any() -> None:
    bench = Bench(takes_uploads=False)
    messages = numbered(s3_event(bench.bucket.put("in", "a.txt", b"1")), queue="news")
    assert bench.deliver(*messages) == [messages[0]["messageId"]]
    assert "no trigger takes inputs from 'news', and none takes uploads" in bench.told.lines[-1][1]


def test_a_message_of_a_triggers_queue_is_an_input(bench: Bench) -> None:
    message = sqs_message("hello", queue="inputs", kind="text/plain")
    assert bench.deliver(message) == []
    assert bench.deliver(message) == [], "SQS delivers twice at times"
    (request,) = bench.model.requests
    assert (request.body, request.content_type) == (b"hello", "text/plain")
    assert bench.told.kinds() == ["done", "again"]


def test_an_input_is_json_unless_it_says_otherwise(bench: Bench) -> None:
    bench.deliver(sqs_message({"text": "hello"}, queue="inputs"))
    assert bench.model.requests[0].content_type == "application/json"


def test_when_time_runs_out_the_rest_comes_again(bench: Bench) -> None:
    messages = numbered("1", "2", queue="inputs")
    assert bench.deliver(*messages, left_ms=100) == [each["messageId"] for each in messages]
    assert bench.model.requests == []
