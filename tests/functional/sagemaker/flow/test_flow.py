"""From a file or a request to its result, through everything that a deploy has made."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.fakes.aws.by_name import ByName
from tests.fakes.aws.resources import physical_id, waiting
from tests.fakes.clock import HandClock
from tests.fakes.functions import Function
from tests.fakes.patience import PATIENCE_S
from tests.fakes.sagemaker.account import Account
from tests.fakes.sagemaker.alarms import PERIOD_S
from tests.fakes.sagemaker.autoscaling import AutoScaler
from tests.fakes.sagemaker.endpoint import AsyncEndpoint
from tests.fakes.sagemaker.policies import read_scaling

from preheat.client.endpoint import Endpoint
from preheat.client.retrying import Retries
from preheat.client.synchronous import Client
from preheat.client.transport import endpoint as client_core
from preheat.errors import BadInput, Conflicting, DeadlineExceeded, HandlerFailed, Unauthorized
from preheat.interface.media import File
from preheat.provider.protocol import Deployment
from preheat_providers.sagemaker.template.names import endpoint_name, stack_name


def eventually(look: Callable[[], Any]) -> Any:
    """Look until there is something."""
    given_up = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not (found := look()):
        assert time.monotonic() < given_up, "it did not come"
        pause.wait(0.05)
    return found


@pytest.fixture(scope="module")
def deployed(words: Function) -> Deployment:
    return words.deploy()


@pytest.fixture
def client(deployed: Deployment, account: Account) -> Iterator[Client]:
    """The Python client, with the token that the deploy showed."""
    assert deployed.token is not None
    core: Endpoint = client_core(PATIENCE_S, Retries())
    http = httpx.Client(
        base_url=deployed.endpoint,
        headers={"authorization": f"Bearer {deployed.token}"},
        transport=ByName(account.cloud.server.endpoint),
        timeout=PATIENCE_S,
    )
    with Client(http, core) as client:
        yield client


def results(account: Account) -> dict[str, bytes]:
    return account.cloud.objects("words-out", "results/")


def upload(account: Account, key: str, body: bytes) -> None:
    account.cloud.client("s3").put_object(Bucket="words-in", Key=key, Body=body)


def lost(words: Function, account: Account) -> int:
    return waiting(account.cloud, physical_id(account.cloud, stack_name(words.name, "dev"), "LostUploads"))


def test_a_file_that_is_uploaded_becomes_a_result_under_the_output(
    deployed: Deployment, account: Account
) -> None:
    upload(account, "in/a.txt", b"hello")
    body = eventually(lambda: results(account).get("results/in/a.txt.json"))
    document = json.loads(body)
    assert document["object"]["key"] == "in/a.txt"
    assert document["result"] == {"size": 5, "version": "first", "told": "s3://words-in/in/a.txt"}


def test_a_key_that_no_header_takes_becomes_a_result_too(deployed: Deployment, account: Account) -> None:
    upload(account, "in/é + b.txt", b"hello")
    body = eventually(lambda: results(account).get("results/in/é + b.txt.json"))
    assert json.loads(body)["result"]["size"] == 5


def test_the_topics_are_told_of_results_and_failures(
    words: Function, deployed: Deployment, account: Account
) -> None:
    sqs, sns = account.cloud.client("sqs"), account.cloud.client("sns")
    queue = "arn:aws:sqs:us-east-1:123456789012:told"
    sent = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [sent]})
    url = sqs.create_queue(QueueName="told", Attributes={"Policy": policy})["QueueUrl"]
    for topic in ("ResultTopic", "FailureTopic"):
        arn = physical_id(account.cloud, stack_name(words.name, "dev"), topic)
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)
    upload(account, "in/told.txt", b"hello")
    upload(account, "in/bad.txt", b"bad")
    found: dict[str, str] = {}

    def told() -> bool:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()):
            said = json.loads(json.loads(message["Body"])["Message"])
            found[said["requestParameters"]["inputLocation"]] = said["invocationStatus"]
        return len(found) == 2

    eventually(told)
    assert found == {
        "s3://words-in/in/told.txt": "Completed",
        "s3://words-in/in/bad.txt": "Failed",
    }
    eventually(lambda: lost(words, account) == 1)
    sqs.purge_queue(QueueUrl=physical_id(account.cloud, stack_name(words.name, "dev"), "LostUploads"))


def test_a_job_over_https_is_answered_by_the_container(client: Client) -> None:
    job = client.submit(File(b"hello", "text/plain"))
    assert job.result() == {"size": 5, "version": "first", "told": ""}
    assert job.status() == "succeeded"
    assert job.cancel() == "succeeded"


def test_the_same_key_is_the_same_job(client: Client) -> None:
    first = client.submit(File(b"once", "text/plain"), idempotency_key="k1")
    first.result()
    assert client.submit(File(b"once", "text/plain"), idempotency_key="k1").id == first.id
    with pytest.raises(Conflicting):
        client.submit(File(b"other", "text/plain"), idempotency_key="k1")


@pytest.mark.parametrize(("body", "error"), [(b"bad", BadInput), (b"poison", HandlerFailed)])
def test_a_job_that_fails_raises_the_problem_of_the_handler(
    client: Client, body: bytes, error: type[Exception]
) -> None:
    job = client.submit(File(body, "text/plain"))
    with pytest.raises(error):
        job.result()
    assert job.status() == "failed"


def test_without_the_token_nobody_submits(deployed: Deployment, account: Account) -> None:
    to = ByName(account.cloud.server.endpoint)
    http = httpx.Client(base_url=deployed.endpoint, transport=to, timeout=PATIENCE_S)
    with Client(http, client_core(PATIENCE_S, Retries())) as stranger:
        assert stranger.schema()["title"] == "Model"
        with pytest.raises(Unauthorized):
            stranger.submit(File(b"hello", "text/plain"))


def test_the_command_line_asks_past_the_token(words: Function, deployed: Deployment) -> None:
    answer = words.send(b"hello", "text/plain")
    assert (answer.status, json.loads(answer.body)["size"]) == (200, 5)
    assert words.send(b"bad", "text/plain").status == 400


def test_an_upload_that_fails_is_tried_again_and_then_kept_and_can_be_replayed(
    words: Function, deployed: Deployment, account: Account
) -> None:
    upload(account, "in/poison.txt", b"poison")
    eventually(lambda: lost(words, account) == 1)
    assert words.provider.replay(words.name, "dev") == 1
    eventually(lambda: lost(words, account) == 1)
    assert "results/in/poison.txt.json" not in results(account)


def test_objects_from_before_are_told_of_by_a_backfill(
    words: Function, deployed: Deployment, account: Account
) -> None:
    upload(account, "in/old/b.txt", b"older")
    eventually(lambda: results(account).get("results/in/old/b.txt.json"))
    account.cloud.client("s3").delete_object(Bucket="words-out", Key="results/in/old/b.txt.json")
    assert words.provider.backfill(words.name, "dev", "s3://words-in/in/old/") == 1
    eventually(lambda: results(account).get("results/in/old/b.txt.json"))


def test_the_log_has_what_the_small_functions_did(
    words: Function, deployed: Deployment, account: Account
) -> None:
    upload(account, "in/logged.txt", b"hello")
    eventually(lambda: results(account).get("results/in/logged.txt.json"))
    told = eventually(
        lambda: [
            each
            for each in words.provider.logs(words.name, "dev", follow=False)
            if each.get("event") == "delivered" and "in/logged.txt" in each["message"]
        ]
    )
    assert told[0]["result"] == "s3://words-out/results/in/logged.txt.json"


def minutes_until_woken(scaler: AutoScaler, clock: HandClock, queue: AsyncEndpoint) -> int:
    """Publish the metrics of an endpoint without instances every minute, until there is to be one."""
    series: dict[str, list[float | None]] = {}
    for minute in range(1, 60):
        clock.advance(PERIOD_S)
        series.setdefault("ApproximateBacklogSizePerInstance", []).append(queue.backlog)
        series.setdefault("HasBacklogWithoutCapacity", []).append(float(queue.backlog > 0))
        if scaler.decide(series) == 1:
            return minute
    raise AssertionError("nothing woke it")


def test_one_request_wakes_an_endpoint_that_has_no_instance(
    client: Client, words: Function, account: Account
) -> None:
    """The policies are those of the deployed stack, on a clock of the test's; their scaler is ours."""
    queue = account.queues[endpoint_name(words.name, "dev")]
    running = account.running[queue.name]
    queue.remove_instance(running.address)
    cloudformation = account.cloud.client("cloudformation")
    found = cloudformation.get_template(StackName=stack_name(words.name, "dev"))["TemplateBody"]
    template = json.loads(found) if isinstance(found, str) else found
    clock = HandClock()
    scaler = AutoScaler(read_scaling(template["Resources"]), clock, 0)

    job = client.submit(File(b"hello", "text/plain"))
    assert (job.status(), queue.backlog) == ("queued", 1)
    assert minutes_until_woken(scaler, clock, queue) == 2
    queue.add_instance(running.address)
    assert job.result() == {"size": 5, "version": "first", "told": ""}


def test_what_waits_is_cancelled_and_a_wait_has_a_deadline(
    client: Client, words: Function, account: Account
) -> None:
    """The last: the endpoint has no instance after it."""
    account.queues[endpoint_name(words.name, "dev")].close()
    job = client.submit(File(b"hello", "text/plain"))
    assert job.status() == "queued"
    with pytest.raises(DeadlineExceeded, match="It goes on"):
        job.result(timeout_s=0.5)
    assert job.cancel() == "cancelled"
    with pytest.raises(Conflicting, match="was cancelled"):
        job.result()
