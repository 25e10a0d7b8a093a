"""/jobs in the real runtime: submitted over HTTP, run by calls that Lambda would queue, read over HTTP."""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tests.fakes.lambda_calls import Calls, call_queue, failed
from tests.fakes.lambda_emulator import Emulator
from tests.fakes.lambda_events import version_2
from tests.functional.aws_lambda.emulator.conftest import Start, Zoo

from preheat_providers.aws_lambda.shipped.settings import Settings
from preheat_providers.aws_lambda.shipped.shapes import JOB

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("lambda-emulator")]

TABLE, BUCKET = "records", "jobs"
SETTINGS = Settings(stage="dev", table=TABLE, jobs_bucket=BUCKET)
JSON = {"content-type": "application/json"}

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Jobs:
    """A function that takes jobs, and the calls that it makes of itself."""

    function: Emulator
    calls: Calls
    table: "DynamoDBClient"

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        value = self.function.invoke(version_2(path, body, headers or JSON, method)).value
        sent = b64decode(value["body"]) if value["isBase64Encoded"] else value["body"].encode()
        return value["statusCode"], value["headers"], sent

    def submit(self, body: bytes, **headers: str) -> str:
        status, _, document = self.ask("POST", "/jobs", body, JSON | headers)
        assert status == 202, document
        return str(json.loads(document)["id"])

    def read(self, job_id: str) -> dict[str, Any]:
        status, _, document = self.ask("GET", f"/jobs/{job_id}")
        assert status == 200, document
        found: dict[str, Any] = json.loads(document)
        return found

    def time_is_over(self) -> None:
        """Let the time of every attempt have passed."""
        for item in self.table.scan(TableName=TABLE)["Items"]:
            if "held_until" in item:
                self.table.put_item(TableName=TABLE, Item=item | {"held_until": {"N": "1"}})


@pytest.fixture(scope="module")
def calls() -> Iterator[Calls]:
    with call_queue() as calls:
        yield calls


@pytest.fixture(scope="module")
def function(zoo: Zoo, managed: Path, _server: str, calls: Calls) -> Iterator[Emulator]:
    env = SETTINGS.environment() | {"AWS_ENDPOINT_URL": _server, "AWS_ENDPOINT_URL_LAMBDA": calls.url}
    with Emulator(zoo("Shout"), python=managed, env=env, timeout_s=5) as emulator:
        yield emulator


@pytest.fixture
def jobs(function: Emulator, calls: Calls, s3_endpoint: str) -> Iterator[Jobs]:
    calls.waiting.clear()
    calls.refused = False
    s3, table = (
        boto3.client("s3", endpoint_url=s3_endpoint),
        boto3.client("dynamodb", endpoint_url=s3_endpoint),
    )
    s3.create_bucket(Bucket=BUCKET)
    table.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield Jobs(function, calls, table)
    s3.close()
    table.close()


def test_a_job_runs_by_a_call_of_the_alias_and_has_its_result(jobs: Jobs) -> None:
    job_id = jobs.submit(b'{"text": "a"}')
    assert jobs.read(job_id)["status"] == "queued"
    assert jobs.ask("GET", f"/jobs/{job_id}/result")[0] == 409
    ((called, _),) = jobs.calls.waiting
    assert called == "zoo%3Alive"
    (reply,) = jobs.calls.deliver(jobs.function)
    assert reply.value is None
    found = jobs.read(job_id)
    assert (found["status"], found["attempts"], found["result"]) == ("succeeded", 1, {"text": "A"})
    status, headers, body = jobs.ask("GET", f"/jobs/{job_id}/result")
    assert (status, headers["content-type"], body) == (200, "application/json", b'{"text":"A"}')


def test_a_refusal_is_the_error_of_a_job(jobs: Jobs) -> None:
    job_id = jobs.submit(b'{"txt": 1}')
    assert len(jobs.calls.deliver(jobs.function)) == 1
    found = jobs.read(job_id)
    assert (found["status"], found["error"]["status"]) == ("failed", 400)


def test_what_fails_is_tried_three_times_and_then_has_failed(jobs: Jobs) -> None:
    job_id = jobs.submit(b'{"text": "raise"}')
    replies = jobs.calls.deliver(jobs.function)
    assert [failed(reply) for reply in replies] == [True, True, False]
    found = jobs.read(job_id)
    assert (found["status"], found["attempts"], found["error"]["status"]) == ("failed", 3, 500)
    assert "hunter2" not in json.dumps(found)


def test_a_job_whose_process_dies_ends_all_the_same(jobs: Jobs) -> None:
    job_id = jobs.submit(b'{"text": "exit"}')
    replies = jobs.calls.deliver(jobs.function, between=jobs.time_is_over)
    assert [b"Runtime.ExitError" in reply.body for reply in replies] == [True] * 3
    assert jobs.read(job_id)["status"] == "running"
    jobs.time_is_over()
    found = jobs.read(job_id)
    assert (found["status"], found["error"]["status"]) == ("failed", 502)
    assert "Attempt 3 was cut off" in found["error"]["detail"]


def test_a_job_that_takes_too_long_is_a_504_that_is_kept(jobs: Jobs) -> None:
    job_id = jobs.submit(b'{"text": "sleep"}', **{"x-preheat-timeout-s": "0.2"})
    jobs.calls.deliver(jobs.function)
    found = jobs.read(job_id)
    assert (found["status"], found["attempts"], found["error"]["status"]) == ("failed", 3, 504)


def test_a_job_is_cancelled_before_its_turn(jobs: Jobs) -> None:
    job_id = jobs.submit(b'{"text": "a"}')
    assert json.loads(jobs.ask("DELETE", f"/jobs/{job_id}")[2])["status"] == "cancelled"
    (reply,) = jobs.calls.deliver(jobs.function)
    assert reply.value is None
    assert jobs.read(job_id)["status"] == "cancelled"


def test_a_key_stands_for_one_job(jobs: Jobs) -> None:
    headers = JSON | {"idempotency-key": "order-17"}
    first = json.loads(jobs.ask("POST", "/jobs", b'{"text": "a"}', headers)[2])
    status, _, again = jobs.ask("POST", "/jobs", b'{"text": "a"}', headers)
    assert (status, json.loads(again)["id"]) == (200, first["id"])
    assert jobs.ask("POST", "/jobs", b'{"text": "b"}', headers)[0] == 409
    jobs.calls.deliver(jobs.function)
    assert jobs.read(first["id"])["attempts"] == 1


def test_a_body_beyond_what_lambda_queues_goes_by_the_bucket(jobs: Jobs) -> None:
    text = "x" * 1_200_000
    job_id = jobs.submit(json.dumps({"text": text}).encode())
    ((_, payload),) = jobs.calls.waiting
    assert len(payload) < 1000
    jobs.calls.deliver(jobs.function)
    assert jobs.read(job_id)["result"] == {"text": text.upper()}


def test_a_job_that_lambda_does_not_queue_is_a_503_and_not_kept(jobs: Jobs) -> None:
    jobs.calls.refused = True
    status, _, body = jobs.ask("POST", "/jobs", b'{"text": "a"}')
    assert status == 503
    assert "TooManyRequests" in json.loads(body)["detail"]
    assert jobs.calls.turned_away == 2, "who waits is not kept waiting"
    assert jobs.table.scan(TableName=TABLE)["Count"] == 0


def test_what_nobody_knows_is_not_found_and_webhooks_are_not_offered(jobs: Jobs) -> None:
    assert jobs.ask("GET", "/jobs/nothing")[0] == 404
    webhook = JSON | {"x-preheat-webhook": "https://example.org/done"}
    status, _, body = jobs.ask("POST", "/jobs", b'{"text": "a"}', webhook)
    assert status == 501
    assert "calls no webhooks" in json.loads(body)["detail"]


def test_the_sdk_is_imported_for_jobs_alone(zoo: Zoo, start: Start) -> None:
    function = start(zoo("Shout"), SETTINGS)  # whose Python has no SDK
    assert function.invoke(version_2("/ping", None, {}, "GET")).value["statusCode"] == 200
    assert function.invoke(version_2("/invocations", b'{"text": "a"}', JSON)).value["statusCode"] == 200
    assert function.invoke(version_2("/jobs/x", None, {}, "GET")).value["statusCode"] == 500


def test_a_function_without_jobs_refuses_one_by_name(zoo: Zoo, start: Start) -> None:
    reply = start(zoo("Shout")).invoke({JOB: {"id": "1"}}).value
    assert reply["errorType"] == "UnknownEvent"
    assert "jobs = true in [provider.aws_lambda]" in reply["errorMessage"]
