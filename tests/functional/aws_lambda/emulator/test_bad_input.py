"""Events that are broken, late, too large, or meant for somebody else, in the real runtime."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tests.fakes.lambda_emulator import Emulator
from tests.fakes.lambda_events import (
    failures,
    s3_event,
    s3_eventbridge,
    s3_record,
    s3_test_event,
    sqs_event,
    sqs_message,
    version_2,
)
from tests.functional.aws_lambda.emulator.conftest import Start, Zoo

from preheat_providers.aws_lambda.shipped.settings import Settings, Triggers, Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("lambda-emulator")]

IN, OUT = "uploads", "answers"
SETTINGS = Settings(
    stage="dev",
    triggers=Triggers(uploads=(Upload(name="uploads", bucket=IN, prefix="in/", output=f"{OUT}/"),)),
)
GOOD = b'{"text": "hello"}'
REMOVED = s3_record(IN, "in/gone.json", name="ObjectRemoved:Delete")
WEBSOCKET = {"requestContext": {"connectionId": "c", "eventType": "CONNECT", "routeKey": "$connect"}}
EC2 = {"source": "aws.ec2", "detail-type": "Spot Interruption", "detail": {}}
NAMELESS = {"source": "aws.s3", "detail-type": "Object Created", "detail": {}}

UNKNOWN: dict[str, tuple[Any, str, str]] = {
    "nothing": ({}, "RequestFailed", '"status": 400'),
    "null": (None, "RequestFailed", '"status": 400'),
    "a text": ("hello", "RequestFailed", '"status": 400'),
    "a number": (3, "RequestFailed", '"status": 400'),
    "a list": ([{"text": "a"}], "RequestFailed", '"status": 400'),
    "no records": ({"Records": []}, "RequestFailed", '"status": 400'),
    "records of nobody": ({"Records": [3]}, "RequestFailed", '"status": 400'),
    "a topic": ({"Records": [{"EventSource": "aws:sns"}]}, "UnknownEvent", "Records of aws:sns came"),
    "a stream": ({"Records": [{"eventSource": "aws:kinesis"}]}, "UnknownEvent", "Records of aws:kinesis"),
    "mixed": (
        {"Records": [s3_record(IN, "in/a.json"), {"eventSource": "aws:sqs"}]},
        "UnknownEvent",
        "Records of aws:s3, aws:sqs came",
    ),
    "an upload without an object": (s3_event({"eventSource": "aws:s3"}), "BadEvent", ""),
    "a key that is no UTF-8": (
        s3_event({**s3_record(IN, "x"), "s3": {"bucket": {"name": IN}, "object": {"key": "in/%FF"}}}),
        "BadEvent",
        "",
    ),
    "a socket": (WEBSOCKET, "UnknownEvent", "none over HTTP (a WebSocket?)"),
    "an event of another service": (EC2, "UnknownEvent", "'Spot Interruption' of 'aws.ec2' came"),
    "an event of S3 without an object": (NAMELESS, "BadEvent", "detail.bucket.name and detail.object.key"),
}


@pytest.fixture
def s3(s3_endpoint: str) -> "Iterator[S3Client]":
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    for bucket in (IN, OUT):
        client.create_bucket(Bucket=bucket)
    yield client
    client.close()


@pytest.fixture(scope="module")
def function(zoo: Zoo, managed: Path, _server: str) -> Iterator[Emulator]:
    """One process for the module: what breaks it breaks the tests that follow."""
    env = {**SETTINGS.environment(), "AWS_ENDPOINT_URL": _server}
    with Emulator(zoo("Shout"), python=managed, env=env) as emulator:
        yield emulator
    assert len(emulator.events("ready")) == 1, "the function was started again"


def upload(s3: "S3Client", key: str, body: bytes = GOOD, **fields: Any) -> dict[str, Any]:
    """Put an object, and return the record of S3's notification."""
    etag = s3.put_object(Bucket=IN, Key=key, Body=body)["ETag"]
    return s3_record(IN, key, **{"etag": etag.strip('"'), "size": len(body), **fields})


def results(s3: "S3Client") -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=OUT).get("Contents", [])]


def batch(*records: dict[str, Any]) -> dict[str, Any]:
    """A message for each record, numbered from 0."""
    return sqs_event(*(sqs_message(s3_event(each), number=number) for number, each in enumerate(records)))


def numbers(reply: Any) -> list[int]:
    """Return the numbers of the messages that come again."""
    return [int(each.rpartition("-")[2]) for each in failures(reply)]


@pytest.mark.parametrize(("event", "kind", "said"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_shape_is_an_error_by_name(function: Emulator, event: Any, kind: str, said: str) -> None:
    reply = function.invoke(event).value
    assert reply["errorType"] == kind
    assert said in reply["errorMessage"]


def test_what_needs_no_answer_is_passed_over(function: Emulator, s3: "S3Client") -> None:
    for event in (s3_test_event(IN), s3_event(REMOVED), s3_eventbridge(IN, "in/a", kind="Object Deleted")):
        assert function.invoke(event).value is None
    assert numbers(function.invoke(batch(REMOVED, s3_record("other", "in/a"))).value) == []
    assert results(s3) == []


def test_an_object_that_nobody_can_read_is_an_error_and_its_neighbours_are_done(
    function: Emulator, s3: "S3Client"
) -> None:
    records = [
        upload(s3, "in/a b+%20\u00fc.json"),
        s3_record(IN, "in/deleted.json"),
        s3_record(IN, "in/huge.json", size=5 * 10**9),
        upload(s3, "in/" + "x" * 1016 + ".json"),
        upload(s3, "in/broken.json", b"{"),
        upload(s3, "in/deep.json", b"[" * 100_000),
        upload(s3, "in/empty.json", b""),
        upload(s3, "in/binary.png", bytes(range(256))),
        upload(s3, "in/poison.json", b'{"text": "raise"}'),
        upload(s3, "in/last.json"),
    ]
    assert numbers(function.invoke(batch(*records)).value) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert results(s3) == ["in/a b+%20\u00fc.json.json", "in/last.json.json"]
    assert not any("hunter2" in line for line in function.lines if '"CloudWatchMetrics"' in line)


def test_an_object_is_refused_by_its_own_size_too(function: Emulator, s3: "S3Client") -> None:
    record = upload(s3, "in/grown.json", b'"' + b"x" * (6 << 20) + b'"', size=3)
    reply = function.invoke(s3_event(record)).value
    assert "The object 'in/grown.json' has 6291458 bytes" in reply["errorMessage"]


def test_in_a_batch_duplicates_are_harmless_and_late_events_change_nothing(
    function: Emulator, s3: "S3Client"
) -> None:
    old = upload(s3, "in/twice.json", b'{"text": "old"}', sequencer="0A")
    new = upload(s3, "in/twice.json", b'{"text": "newer"}', sequencer="0B")
    assert numbers(function.invoke(batch(new, old, new, old)).value) == []
    answer = s3.get_object(Bucket=OUT, Key="in/twice.json.json")["Body"].read()
    assert b"NEWER" in answer


def test_a_request_of_half_a_shape_does_not_end_the_function(function: Emulator) -> None:
    event = version_2("/invocations", GOOD, {"content-type": "application/json"})
    for missing in ("body", "headers", "rawPath", "isBase64Encoded", "version"):
        reply = function.invoke({name: value for name, value in event.items() if name != missing}).value
        assert reply["statusCode"] == (400 if missing == "body" else 200), missing
    broken = function.invoke({**event, "isBase64Encoded": True, "body": "***"}).value
    assert 400 <= broken["statusCode"] < 500


def test_a_piece_of_work_that_takes_too_long_leaves_the_rest_for_another_call(
    zoo: Zoo, hurried: Start, managed: Path, s3: "S3Client", s3_endpoint: str
) -> None:
    env = {"AWS_ENDPOINT_URL": s3_endpoint}
    function = hurried(zoo("Shout"), SETTINGS, python=managed, env=env)
    assert function.invoke(s3_event(upload(s3, "in/first.json"))).value is None
    slow, other = upload(s3, "in/slow.json", b'{"text": "sleep"}'), upload(s3, "in/other.json")
    assert numbers(function.invoke(batch(slow, other)).value) == [0, 1]
    assert numbers(function.invoke(batch(other)).value) == []
    assert results(s3) == ["in/first.json.json", "in/other.json.json"]
    assert len(function.events("ready")) == 1, "the model is still there"


def test_a_result_larger_than_an_answer_is_stored_and_one_for_a_caller_is_an_error(
    zoo: Zoo, start: Start, managed: Path, s3: "S3Client", s3_endpoint: str
) -> None:
    function = start(zoo("Long"), SETTINGS, python=managed, env={"AWS_ENDPOINT_URL": s3_endpoint})
    asked = {"text": "x", "times": 7_000_000}
    assert function.invoke(s3_event(upload(s3, "in/long.json", json.dumps(asked).encode()))).value is None
    assert s3.head_object(Bucket=OUT, Key="in/long.json.json")["ContentLength"] > 7_000_000
    assert b"ResponseSizeTooLarge" in function.invoke(asked).body


def test_a_message_that_ends_the_process_does_not_end_the_next(
    zoo: Zoo, start: Start, managed: Path, s3: "S3Client", s3_endpoint: str
) -> None:
    function = start(zoo("Shout"), SETTINGS, python=managed, env={"AWS_ENDPOINT_URL": s3_endpoint})
    reply = function.invoke(batch(upload(s3, "in/exit.json", b'{"text": "exit"}')))
    assert b"Runtime.ExitError" in reply.body
    assert numbers(function.invoke(batch(upload(s3, "in/after.json"))).value) == []
    assert results(s3) == ["in/after.json.json"]


def test_an_event_that_finds_a_broken_setup_fails_whole(
    zoo: Zoo, start: Start, managed: Path, s3: "S3Client", s3_endpoint: str
) -> None:
    function = start(zoo("Fails"), SETTINGS, python=managed, env={"AWS_ENDPOINT_URL": s3_endpoint})
    reply = function.invoke(batch(upload(s3, "in/a.json"))).value
    assert reply["errorType"] == "PhaseFailed"
    assert "no model for zoo@dev" in reply["errorMessage"]
