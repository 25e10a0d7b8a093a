from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.fakes.lambda_events import Context, s3_event, s3_record
from tests.fakes.lambda_work import Bucket, Length, Remembered, Told, result

from preheat.errors import BodyTooLarge, DeadlineExceeded, NotFound
from preheat.runtime.objects.events import objects_of
from preheat_providers.aws_lambda.shipped.events.uploads import Uploads
from preheat_providers.aws_lambda.shipped.events.work import Refused, Worker
from preheat_providers.aws_lambda.shipped.settings import Upload

TRIGGER = Upload(name="scans", bucket="in", prefix="scans/", output="out/results/")
KEY = "scans/a b/\u00fc+%.txt"


@dataclass
class Bench:
    bucket: Bucket = field(default_factory=Bucket)
    told: Told = field(default_factory=Told)
    model: Length = field(default_factory=Length)
    once: Remembered = field(default_factory=Remembered)

    def deliver(self, *records: dict[str, Any], left_ms: int = 60_000, limit: int = 100) -> None:
        worker = Worker(self.model, self.once, self.told)
        uploads = Uploads([TRIGGER], self.bucket, worker, self.told, limit=limit)
        uploads.deliver(objects_of(s3_event(*records)), Context(left_ms=left_ms))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_object_is_answered_by_a_document_under_the_output(bench: Bench) -> None:
    record = bench.bucket.put("in", KEY, b"hello")
    bench.deliver(record)
    document = result(bench.bucket, "out", f"results/{KEY}.json")
    assert document["result"] == 5
    assert document["object"] == {"bucket": "in", "key": KEY, "etag": record["s3"]["object"]["eTag"]}
    assert bench.told.kinds() == ["done"]
    (request,) = bench.model.requests
    assert request.content_type == "text/plain"
    assert request.headers["x-preheat-key"] == "scans/a+b/%C3%BC%2B%25.txt"
    assert request.timeout_s == 59.75


def test_a_duplicate_of_an_event_runs_once(bench: Bench) -> None:
    record = bench.bucket.put("in", KEY, b"hello")
    bench.deliver(record, record)
    bench.deliver(record)
    assert bench.told.kinds() == ["done", "again", "again"]
    assert len(bench.model.requests) == 1


def test_the_same_bytes_put_again_run_again(bench: Bench) -> None:
    bench.deliver(bench.bucket.put("in", KEY, b"hello", sequencer="0A"))
    bench.deliver(bench.bucket.put("in", KEY, b"hello", sequencer="0B"))
    assert bench.told.kinds() == ["done", "done"]


def test_of_events_out_of_order_the_newest_content_has_the_result(bench: Bench) -> None:
    old = bench.bucket.put("in", KEY, b"old", sequencer="0A")
    new = bench.bucket.put("in", KEY, b"newer", sequencer="0B")
    bench.deliver(new)
    bench.deliver(old)
    assert result(bench.bucket, "out", f"results/{KEY}.json")["result"] == 5
    assert bench.told.kinds() == ["done", "skipped"]


def test_an_object_that_changes_while_it_runs_leaves_the_result_to_its_new_content(bench: Bench) -> None:
    record = bench.bucket.put("in", KEY, b"old")
    bench.bucket.on_read = lambda: bench.bucket.objects.update({("in", KEY): b"newer"})
    bench.deliver(record)
    assert bench.told.kinds() == ["skipped"]
    assert ("out", f"results/{KEY}.json") not in bench.bucket.objects


def test_an_object_that_was_deleted_fails_by_name(bench: Bench) -> None:
    with pytest.raises(NotFound, match="deleted before it was read"):
        bench.deliver(s3_record("in", KEY))
    assert bench.told.kinds() == ["failed"]


def test_five_gigabytes_are_refused_before_they_are_read(bench: Bench) -> None:
    record = s3_record("in", KEY, size=5 * 10**9)
    with pytest.raises(BodyTooLarge, match="has 5000000000 bytes; the limit is 100"):
        bench.deliver(record)
    assert bench.bucket.reads == []


def test_what_no_trigger_takes_is_left_alone(bench: Bench) -> None:
    bench.deliver(bench.bucket.put("in", "elsewhere/a.txt", b"hello"))
    assert bench.told.kinds() == ["skipped"]
    assert bench.bucket.reads == []


@pytest.mark.parametrize(("body", "said"), [(b"poison", "It failed"), (b"bad", "Not this one")])
def test_an_object_that_the_model_cannot_take_fails_and_is_not_remembered(
    bench: Bench, body: bytes, said: str
) -> None:
    record = bench.bucket.put("in", KEY, body)
    with pytest.raises(Refused, match=said):
        bench.deliver(record)
    assert bench.once.done == {}
    assert bench.told.kinds() == ["failed"]


def test_one_failing_object_does_not_keep_the_others_from_running(bench: Bench) -> None:
    records = [bench.bucket.put("in", f"scans/{body.decode()}", body) for body in (b"poison", b"fine")]
    with pytest.raises(Refused):
        bench.deliver(*records)
    assert result(bench.bucket, "out", "results/scans/fine.json")["result"] == 4


def test_without_time_nothing_is_begun(bench: Bench) -> None:
    record = bench.bucket.put("in", KEY, b"hello")
    with pytest.raises(DeadlineExceeded):
        bench.deliver(record, left_ms=200)
    assert bench.bucket.reads == []
