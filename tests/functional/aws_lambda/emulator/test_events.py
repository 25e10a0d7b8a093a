"""Uploads, messages, schedules, jobs and direct calls in the real runtime, with AWS on the loopback."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
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
    scheduled,
    sqs_event,
    sqs_message,
)
from tests.fakes.webserver import WebServer, serving
from tests.functional.aws_lambda.emulator.conftest import Start, Zoo

from preheat.interface.message import Response
from preheat.runtime.objects.events import ObjectRecord
from preheat.runtime.objects.results import result_body
from preheat_providers.aws_lambda.shipped.settings import Queue, Settings, Tick, Triggers, Upload
from preheat_providers.aws_lambda.shipped.shapes import REQUEST, WARM

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("lambda-emulator")]

IN, OUT, TABLE = "uploads", "answers", "deliveries"
TRIGGERS = Triggers(
    uploads=(Upload(name="uploads", bucket=IN, prefix="in/", output=f"{OUT}/results/"),),
    queues=(Queue(name="inputs", queue="zoo-dev-inputs"),),
    ticks=(Tick(name="nightly", input={"text": "night"}), Tick(name="broken", input={"txt": 1})),
)
SETTINGS = Settings(stage="dev", triggers=TRIGGERS, table=TABLE)
KEYS = [
    "in/plain.json",
    "in/a b+c%&=?.json",
    "in/%20/\u00fcber/\u65e5\u672c.json",
    "in/" + "\u00fc" * 501 + ".json",
]


@pytest.fixture
def s3(s3_endpoint: str) -> "Iterator[S3Client]":
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    for bucket in (IN, OUT):
        client.create_bucket(Bucket=bucket)
    tables = boto3.client("dynamodb", endpoint_url=s3_endpoint)
    tables.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield client
    client.close()
    tables.close()


@pytest.fixture(scope="module")
def function(zoo: Zoo, managed: Path, _server: str) -> Iterator[Emulator]:
    env = {**SETTINGS.environment(), "AWS_ENDPOINT_URL": _server}
    with Emulator(zoo("Shout"), python=managed, env=env) as emulator:
        yield emulator


def upload(s3: "S3Client", key: str, body: bytes = b'{"text": "hello"}', **fields: Any) -> dict[str, Any]:
    """Put an object, and return the record of S3's notification."""
    etag = s3.put_object(Bucket=IN, Key=key, Body=body)["ETag"]
    return s3_record(IN, key, **{"etag": etag.strip('"'), "size": len(body), **fields})


def results(s3: "S3Client") -> dict[str, bytes]:
    listed = s3.list_objects_v2(Bucket=OUT).get("Contents", [])
    return {each["Key"]: s3.get_object(Bucket=OUT, Key=each["Key"])["Body"].read() for each in listed}


@pytest.mark.parametrize("key", KEYS, ids=["plain", "odd", "unicode", "long"])
def test_an_upload_yields_the_document_that_it_yields_locally(
    function: Emulator, s3: "S3Client", key: str
) -> None:
    record = upload(s3, key)
    assert function.invoke(s3_event(record)).value is None
    answer = Response(body=b'{"text":"HELLO"}')
    named = ObjectRecord(
        bucket=IN,
        key=key,
        size=0,
        etag=record["s3"]["object"]["eTag"],
        version_id=None,
        sequencer="",
        time=0.0,
    )
    assert results(s3) == {f"results/{key}.json": result_body(named, answer.content_type, answer.body)}
    found = s3.head_object(Bucket=OUT, Key=f"results/{key}.json")
    assert found["ContentType"] == "application/json"


def test_the_same_event_three_times_runs_once(function: Emulator, s3: "S3Client") -> None:
    event = s3_event(upload(s3, "in/once.json"))
    for _ in range(3):
        assert function.invoke(event).value is None
    assert len(function.events("delivered", about="in/once.json")) == 1
    assert len(function.events("duplicate", about="in/once.json", times=2)) == 2


def test_a_key_without_room_for_the_extension_fails_with_the_reason(
    function: Emulator, s3: "S3Client"
) -> None:
    reply = function.invoke(s3_event(upload(s3, f"in/{'x' * 1016}.json"))).value
    assert "has 1037 bytes, and S3 takes 1024" in reply["errorMessage"]


def test_an_upload_over_eventbridge_is_one_too(function: Emulator, s3: "S3Client") -> None:
    key = "in/a b+c%.json"
    record = upload(s3, key)
    event = s3_eventbridge(IN, key, etag=record["s3"]["object"]["eTag"])
    assert function.invoke(event).value is None
    assert list(results(s3)) == [f"results/{key}.json"]


def test_of_a_batch_what_failed_comes_again_and_the_rest_is_done(function: Emulator, s3: "S3Client") -> None:
    good, poison, later = (
        upload(s3, f"in/{name}.json", body)
        for name, body in (
            ("good", b'{"text": "a"}'),
            ("poison", b'{"text": "raise"}'),
            ("later", b'{"text": "b"}'),
        )
    )
    bodies = [s3_event(good), s3_event(poison), s3_test_event(IN), "no JSON", s3_event(later)]
    messages = [sqs_message(body, number=number) for number, body in enumerate(bodies)]
    assert failures(function.invoke(sqs_event(*messages)).value) == [
        messages[1]["messageId"],
        messages[3]["messageId"],
    ]
    assert set(results(s3)) == {"results/in/good.json.json", "results/in/later.json.json"}
    again = function.invoke(sqs_event(messages[1])).value
    assert failures(again) == [messages[1]["messageId"]], "a failure is not remembered as done"


def test_a_message_of_a_queue_is_an_input(function: Emulator, s3: "S3Client") -> None:
    good = sqs_message({"text": "a"}, queue="zoo-dev-inputs", number=1)
    bad = sqs_message({"txt": "a"}, queue="zoo-dev-inputs", number=2)
    assert failures(function.invoke(sqs_event(good, bad)).value) == [bad["messageId"]]
    assert len(function.events("delivered", about=good["messageId"])) == 1


def test_an_object_that_is_gone_or_too_large_fails_with_the_reason(
    function: Emulator, s3: "S3Client"
) -> None:
    gone = function.invoke(s3_event(s3_record(IN, "in/gone.json")))
    assert gone.value["errorMessage"] == "The object 'in/gone.json' was deleted before it was read."
    large = function.invoke(s3_event(s3_record(IN, "in/large.json", size=5 * 10**9)))
    assert "has 5000000000 bytes; the limit is" in large.value["errorMessage"]


def test_an_event_that_comes_late_leaves_the_newer_result(function: Emulator, s3: "S3Client") -> None:
    old = upload(s3, "in/twice.json", b'{"text": "old"}', sequencer="0A")
    new = upload(s3, "in/twice.json", b'{"text": "newer"}', sequencer="0B")
    function.invoke(s3_event(new))
    assert function.invoke(s3_event(old)).value is None
    assert b"NEWER" in results(s3)["results/in/twice.json.json"]
    assert function.events("skipped", about="in/twice.json")


def test_versions_of_an_object_are_told_apart(function: Emulator, s3: "S3Client") -> None:
    s3.put_bucket_versioning(Bucket=IN, VersioningConfiguration={"Status": "Enabled"})
    put = [s3.put_object(Bucket=IN, Key="in/v.json", Body=b'{"text": "v%d"}' % number) for number in (1, 2)]
    for each in reversed(put):
        function.invoke(
            s3_event(
                s3_record(
                    IN, "in/v.json", etag=each["ETag"].strip('"'), version_id=each["VersionId"], size=14
                )
            )
        )
    assert b"V2" in results(s3)["results/in/v.json.json"]


def test_a_late_event_leaves_the_newer_result_of_an_object_that_was_deleted_since(
    function: Emulator, s3: "S3Client"
) -> None:
    s3.put_bucket_versioning(Bucket=IN, VersioningConfiguration={"Status": "Enabled"})
    put = [s3.put_object(Bucket=IN, Key="in/d.json", Body=b'{"text": "v%d"}' % number) for number in (1, 2)]
    old, new = (
        s3_event(
            s3_record(IN, "in/d.json", etag=each["ETag"].strip('"'), version_id=each["VersionId"], size=14)
        )
        for each in put
    )
    function.invoke(new)
    s3.delete_object(Bucket=IN, Key="in/d.json")
    assert function.invoke(old).value is None
    assert b"V2" in results(s3)["results/in/d.json.json"]
    assert function.events("skipped", about="in/d.json")


def test_a_tick_runs_its_input_and_a_failing_one_is_for_lambda_to_repeat(
    function: Emulator, s3: "S3Client"
) -> None:
    assert function.invoke(scheduled("preheat-zoo-dev.nightly")).value is None
    assert len(function.events("delivered", about="nightly at")) == 1
    assert function.invoke(scheduled("preheat-zoo-dev.broken")).value["errorType"] == "Refused"
    assert "which are nightly, broken" in function.invoke(scheduled("other")).value["errorMessage"]


def test_metrics_are_in_the_log_in_cloudwatchs_format(function: Emulator, s3: "S3Client") -> None:
    before = len(function.lines)
    function.invoke(s3_event(upload(s3, "in/counted.json")))
    (line,) = (line for line in function.lines[before:] if '"CloudWatchMetrics"' in line)
    told = json.loads(line)
    (metric,) = told["_aws"]["CloudWatchMetrics"]
    assert metric["Namespace"] == "Preheat"
    assert told["service"] == "zoo"
    assert told["stage"] == "dev"
    assert told["Deliveries"] == [1.0]


@pytest.mark.parametrize(
    ("event", "value"),
    [({"text": "hello"}, {"text": "HELLO"}), ({"text": "\u00fc", "times": 2}, {"text": "\u00dc\u00dc"})],
)
def test_a_direct_call_takes_the_input_and_gives_the_answer(
    zoo: Zoo, start: Start, event: Any, value: Any
) -> None:
    assert start(zoo("Shout")).invoke(event).value == value


def test_a_request_as_bytes_and_a_call_that_keeps_warm(zoo: Zoo, start: Start) -> None:
    function = start(zoo("Round"))
    assert function.invoke({WARM: {}}).value is None
    asked = {"body_base64": b64encode(b"\x00\xff").decode(), "content_type": "image/png"}
    answer = function.invoke({REQUEST: asked}).value
    assert (answer["status"], answer["content_type"]) == (200, "image/png")
    assert b64decode(answer["body_base64"]) == b"\xff\x00"


def test_what_a_direct_call_cannot_be_answered_with_is_an_error_with_the_problem(
    zoo: Zoo, start: Start
) -> None:
    function = start(zoo("Shout"))
    reply = function.invoke({"txt": "hello"}).value
    assert reply["errorType"] == "RequestFailed"
    assert json.loads(reply["errorMessage"])["status"] == 400


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (s3_event(s3_record(IN, "in/a.json")), "this function has no triggers"),
        ({"Records": [{"eventSource": "aws:dynamodb"}]}, "Records of aws:dynamodb came"),
    ],
)
def test_an_event_that_nothing_announced_is_refused_by_name(
    zoo: Zoo, start: Start, event: Any, said: str
) -> None:
    reply = start(zoo("Shout")).invoke(event).value
    assert reply["errorType"] == "UnknownEvent"
    assert said in reply["errorMessage"]


def test_without_permission_the_error_says_what_to_allow(zoo: Zoo, start: Start, managed: Path) -> None:
    with serving(WebServer({}, refusals={f"/{IN}/in/a.json": 403})) as refuses:
        settings = replace(SETTINGS, table=None)
        function = start(zoo("Shout"), settings, python=managed, env={"AWS_ENDPOINT_URL": refuses.url})
        reply = function.invoke(s3_event(s3_record(IN, "in/a.json"))).value
    assert reply["errorType"] == "BadInput"
    assert "Allow s3:GetObject on arn:aws:s3:::uploads/*." in reply["errorMessage"]
