"""The asynchronous flow with our own driver, not AWS's: boto3, S3 and SNS are real clients and an emulator's
servers, and the container is the real process."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from tests.fakes.clock import HandClock
from tests.fakes.sagemaker.container import ContainerProcess
from tests.fakes.sagemaker.endpoint import AsyncEndpoint
from tests.fakes.sagemaker.invocation import LARGEST_BYTES, AsyncConfig
from tests.fakes.sagemaker.notification import INCLUDED_BYTES
from tests.fakes.sagemaker.runtime_api import serving
from tests.functional.sagemaker.container.conftest import Start

from preheat_providers.sagemaker.front.failures import failure_document

pytestmark = pytest.mark.runtime

BUCKET = "jobs"
HANDLER = """
    import time, preheat
    from dataclasses import dataclass
    from collections.abc import Iterator

    @dataclass
    class Query:
        text: str = ""
        wait_s: float = 0.0
        fail: bool = False

    class Model(preheat.Handler):
        def predict(self, query: Query, call: preheat.Call) -> dict[str, str]:
            time.sleep(query.wait_s)
            if query.fail: raise RuntimeError("out of luck")
            told = call.headers.get("x-amzn-sagemaker-custom-attributes", "-")
            return {"text": query.text.upper(), "id": call.id, "told": told}
    """
TOGETHER = """
    import threading, preheat

    class Model(preheat.Handler):
        def setup(self, ctx): self.together = threading.Barrier(2)

        @preheat.threaded(threads=4)
        def predict(self, text: str) -> str:
            self.together.wait(120)
            return text
    """
BROKEN = """
    import os, preheat

    class Model(preheat.Handler):
        def predict(self, text: str) -> str: os._exit(3)
    """
STREAM = """
    import preheat
    from collections.abc import Iterator

    class Model(preheat.Handler):
        def predict(self, upto: int) -> Iterator[int]: yield from range(upto)
    """


@dataclass
class Account:
    """What a user of the endpoint `demo` sees of it."""

    endpoint: AsyncEndpoint
    clock: HandClock
    s3: Any
    runtime: Any
    sqs: Any
    queues: dict[str, str]
    sent: list[str] = field(default_factory=list)

    def invoke(self, body: Any, **parameters: Any) -> dict[str, Any]:
        """Store an input and invoke with it; return the answer of the API."""
        key = f"inputs/{len(self.sent)}"
        self.sent.append(key)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=data)
        asked = {"InputLocation": f"s3://{BUCKET}/{key}", "ContentType": "application/json", **parameters}
        return dict(self.runtime.invoke_endpoint_async(EndpointName="demo", **asked))

    def read(self, location: str) -> tuple[str, bytes]:
        """Return content type and body of what lies at `s3://...`."""
        bucket, _, key = location.removeprefix("s3://").partition("/")
        found = self.s3.get_object(Bucket=bucket, Key=key)
        return found["ContentType"], found["Body"].read()

    def keys(self) -> set[str]:
        """Return the keys of outputs and failures."""
        found = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {each["Key"] for each in found if not each["Key"].startswith("inputs/")}

    def told(self, topic: str) -> list[dict[str, Any]]:
        """Return what a topic has told since the last look."""
        got = self.sqs.receive_message(QueueUrl=self.queues[topic], MaxNumberOfMessages=10)
        return [json.loads(json.loads(each["Body"])["Message"]) for each in got.get("Messages", [])]


Open = Callable[..., Account]


@pytest.fixture
def opened(s3_endpoint: str) -> Iterator[Open]:
    """Opens an endpoint `demo` without an instance; it closes with the test."""
    contexts: list[Any] = []

    def client(service: str, address: str = s3_endpoint) -> Any:
        return boto3.client(service, endpoint_url=address)

    @contextmanager
    def account(**properties: Any) -> Iterator[Account]:
        s3, sns, sqs = client("s3"), client("sns"), client("sqs")
        s3.create_bucket(Bucket=BUCKET)
        topics, queues = {}, {}
        for topic in ("good", "bad"):
            topics[topic] = sns.create_topic(Name=topic)["TopicArn"]
            queues[topic] = sqs.create_queue(QueueName=topic)["QueueUrl"]
            attributes = sqs.get_queue_attributes(QueueUrl=queues[topic], AttributeNames=["QueueArn"])
            arn = attributes["Attributes"]["QueueArn"]
            sns.subscribe(TopicArn=topics[topic], Protocol="sqs", Endpoint=arn)
        notification = {"SuccessTopic": topics["good"], "ErrorTopic": topics["bad"]}
        out = {
            "S3OutputPath": f"s3://{BUCKET}/outputs/",
            "S3FailurePath": f"s3://{BUCKET}/failures/",
            "NotificationConfig": notification | properties.pop("notification", {}),
        }
        config = AsyncConfig.of({"OutputConfig": out, **properties})
        clock = HandClock(1_700_000_000.0)
        endpoint = AsyncEndpoint(
            "demo", config, s3, lambda arn, text: sns.publish(TopicArn=arn, Message=text), clock=clock
        )
        with serving({"demo": endpoint}, clock=clock) as address:
            yield Account(endpoint, clock, s3, client("sagemaker-runtime", address), sqs, queues)
            endpoint.close()
        for each in (s3, sns, sqs):
            each.close()

    def begin(**properties: Any) -> Account:
        contexts.append(account(**properties))
        made: Account = contexts[-1].__enter__()
        return made

    yield begin
    for context in contexts:
        context.__exit__(None, None, None)


def instance(account: Account, container: ContainerProcess) -> None:
    account.endpoint.add_instance(f"http://127.0.0.1:{container.port}")


def test_an_input_in_s3_becomes_an_output_under_a_name_that_is_known_before(
    start: Start, opened: Open
) -> None:
    account = opened()
    instance(account, start(HANDLER))
    answer = account.invoke(
        {"text": "a"},
        InferenceId="job-1",
        CustomAttributes="tenant=blue",
        S3OutputPathExtension="2026/11",
        Filename="job-1.json",
    )
    assert answer["InferenceId"] == "job-1"
    assert answer["OutputLocation"] == "s3://jobs/outputs/2026/11/job-1.json"
    assert answer["FailureLocation"] == "s3://jobs/failures/2026/11/job-1.json"
    assert account.endpoint.until_ended("job-1") == ["Completed"]
    kind, body = account.read(answer["OutputLocation"])
    assert (kind, json.loads(body)) == (
        "application/json",
        {"text": "A", "id": "job-1", "told": "tenant=blue"},
    )
    assert account.keys() == {"outputs/2026/11/job-1.json"}
    [message] = account.told("good")
    assert message["invocationStatus"] == "Completed"
    assert message["inferenceId"] == "job-1"
    assert message["responseParameters"]["outputLocation"] == answer["OutputLocation"]
    assert "responseBody" not in message
    assert account.told("bad") == []


def test_a_body_may_come_with_the_request(start: Start, opened: Open) -> None:
    account = opened()
    instance(account, start(HANDLER))
    body = b'{"text": "inline"}'
    answer = account.runtime.invoke_endpoint_async(
        EndpointName="demo", Body=body, ContentType="application/json", InferenceId="job-1"
    )
    account.endpoint.until_ended("job-1")
    assert json.loads(account.read(answer["OutputLocation"])[1])["text"] == "INLINE"
    with pytest.raises(ClientError, match="Provide exactly one"):
        account.invoke({}, Body=b"x")


@pytest.mark.parametrize(
    ("body", "status", "side"),
    [({"fail": True}, 500, "server"), ({"txt": "a"}, 400, "client"), (b"no json", 400, "client")],
)
def test_a_handler_that_fails_leaves_its_problem_document_and_no_output(
    start: Start, opened: Open, body: Any, status: int, side: str
) -> None:
    account = opened(notification={"IncludeInferenceResponseIn": ["ERROR_NOTIFICATION_TOPIC"]})
    instance(account, start(HANDLER))
    answer = account.invoke(body, InferenceId="job-1", Filename="job-1.json")
    [reason] = account.endpoint.until_ended("job-1")
    assert f"Received {side} error ({status})" in reason
    problem = json.loads(account.read(answer["FailureLocation"])[1])
    assert (problem["status"], problem["instance"]) == (status, "urn:preheat:request:job-1")
    assert account.keys() == {"failures/job-1.json"}
    [message] = account.told("bad")
    assert (message["invocationStatus"], message["failureReason"]) == ("Failed", reason)
    assert json.loads(b64decode(message["responseBody"]["content"])) == problem
    assert account.told("good") == []


def test_an_input_that_is_not_there_is_a_failure_without_the_container(start: Start, opened: Open) -> None:
    account = opened()
    instance(account, start(HANDLER))
    answer = account.runtime.invoke_endpoint_async(
        EndpointName="demo", InputLocation=f"s3://{BUCKET}/nothing", InferenceId="job-1"
    )
    [reason] = account.endpoint.until_ended("job-1")
    assert "could not be downloaded" in reason
    assert b"s3://jobs/nothing" in account.read(answer["FailureLocation"])[1]


def deny(**_: Any) -> tuple[AWSResponse, dict[str, Any]]:
    """Answer for S3 as it does without the right."""
    error = {"Code": "AccessDenied", "Message": "Access Denied"}
    return AWSResponse("https://s3", 403, {}, None), {"Error": error}  # type: ignore[arg-type]


def swell(parsed: dict[str, Any], **_: Any) -> None:
    """Let S3 say that an object is one byte larger than an endpoint takes."""
    parsed["ContentLength"] = LARGEST_BYTES + 1


@pytest.mark.parametrize(
    ("event", "hook", "why", "status"),
    [
        ("before-call.s3.GetObject", deny, "AccessDenied", 403),
        ("after-call.s3.HeadObject", swell, "has 1073741825 bytes; the limit is 1073741824", 502),
    ],
)
def test_an_input_that_cannot_be_read_is_a_failure_without_the_container(
    start: Start, opened: Open, event: str, hook: Any, why: str, status: int
) -> None:
    account = opened()
    instance(account, start(HANDLER))
    account.s3.meta.events.register(event, hook)
    answer = account.invoke({"text": "a"}, InferenceId="job-1")
    [reason] = account.endpoint.until_ended("job-1")
    account.s3.meta.events.unregister(event, hook)
    assert why in reason
    document = failure_document(account.read(answer["FailureLocation"])[1], "job-1")
    assert (document["status"], document["instance"]) == (status, "urn:preheat:request:job-1")
    assert len(account.told("bad")) == 1


def test_an_answer_beyond_what_a_notification_takes_is_left_out_of_it(start: Start, opened: Open) -> None:
    account = opened(notification={"IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"]})
    instance(account, start(HANDLER))
    locations = {}
    for name, size in (("small", 10), ("large", INCLUDED_BYTES)):
        locations[name] = account.invoke({"text": "a" * size}, InferenceId=name)["OutputLocation"]
        account.endpoint.until_ended(name)
    told = {message["inferenceId"]: message for message in account.told("good")}
    assert b64decode(told["small"]["responseBody"]["content"]) == account.read(locations["small"])[1]
    assert "responseBody" not in told["large"]
    assert told["large"]["responseParameters"]["outputLocation"] == locations["large"]
    assert len(account.read(locations["large"])[1]) > INCLUDED_BYTES


def test_a_request_waits_for_the_first_instance_and_expires_after_its_time_to_live(
    start: Start, opened: Open
) -> None:
    account = opened()
    account.invoke({"text": "a"}, InferenceId="patient")
    account.invoke({"text": "b"}, InferenceId="hurried", RequestTTLSeconds=60)
    assert account.endpoint.backlog == 2
    account.clock.advance(61)
    instance(account, start(HANDLER))
    patient, hurried = account.endpoint.until_ended("patient", "hurried")
    assert patient == "Completed"
    assert "expired after 60 s" in hurried


def test_one_that_takes_longer_than_its_time_is_a_failure_and_the_next_one_is_answered(
    start: Start, opened: Open
) -> None:
    account = opened()
    instance(account, start(HANDLER))
    account.invoke({"wait_s": 1.5}, InferenceId="slow", InvocationTimeoutSeconds=1)
    account.invoke({"text": "next"}, InferenceId="next")
    slow, after = account.endpoint.until_ended("slow", "next")
    assert "timed out" in slow
    assert after == "Completed"


def test_an_instance_gets_as_many_at_once_as_the_configuration_says(start: Start, opened: Open) -> None:
    account = opened(ClientConfig={"MaxConcurrentInvocationsPerInstance": 2})
    instance(account, start(TOGETHER))
    names = [f"job-{number}" for number in range(6)]
    for name in names:
        account.invoke(name, InferenceId=name)
    assert set(account.endpoint.until_ended(*names)) == {"Completed"}
    assert account.endpoint.most_at_once == 2


def test_a_stream_is_an_output_because_it_has_a_length(start: Start, opened: Open) -> None:
    account = opened()
    instance(account, start(STREAM))
    answer = account.invoke(3, InferenceId="job-1", Accept="application/x-ndjson")
    assert account.endpoint.until_ended("job-1") == ["Completed"]
    assert account.read(answer["OutputLocation"]) == ("application/x-ndjson", b"0\n1\n2\n")


def test_without_our_mode_for_queues_a_stream_would_fail_there(start: Start, opened: Open) -> None:
    account = opened()
    instance(account, start(STREAM, env={"PREHEAT_SAGEMAKER_MODE": "realtime"}))
    account.invoke(3, InferenceId="job-1")
    [reason] = account.endpoint.until_ended("job-1")
    assert "did not specify the required Content-Length header" in reason


def test_a_container_that_breaks_off_is_a_failure(start: Start, opened: Open) -> None:
    account = opened()
    instance(account, start(BROKEN))
    account.invoke("a", InferenceId="job-1")
    [reason] = account.endpoint.until_ended("job-1")
    assert "broke off" in reason


def test_a_long_run_of_failures_refuses_nobody_who_would_succeed(start: Start, opened: Open) -> None:
    account = opened()
    instance(account, start(HANDLER))
    bad = [f"bad-{number}" for number in range(30)]
    for number, name in enumerate(bad):
        account.invoke({"fail": True, "text": str(number)}, InferenceId=name)
    account.invoke({"text": "good"}, InferenceId="good")
    assert {"500" in reason for reason in account.endpoint.until_ended(*bad)} == {True}
    assert account.endpoint.until_ended("good") == ["Completed"]


def test_the_answers_are_those_of_a_plain_server(start: Start, opened: Open, tmp_path: Path) -> None:
    """What SageMaker stores is byte for byte what anybody gets over HTTP."""
    account = opened()
    container = start(HANDLER)
    instance(account, container)
    for number, text in enumerate(("", "\u00dcberraschung", "a" * 100_000)):
        answer = account.invoke({"text": text}, InferenceId=f"job-{number}")
        account.endpoint.until_ended(f"job-{number}")
        body = json.dumps({"text": text}).encode()
        headers = {"content-type": "application/json", "x-request-id": f"job-{number}"}
        asked = container.ask("POST", "/invocations", body, headers)
        assert asked == (200, account.read(answer["OutputLocation"])[1])
