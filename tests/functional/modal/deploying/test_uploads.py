"""S3 to EventBridge to Modal and back: AWS is MiniStack with IAM in force, Modal is the control plane.

What neither shows: how long EventBridge waits, that it repeats for a day (MiniStack drops what is not
answered with 2xx), and that AWS believes the signature of Modal's identity tokens: here nobody looks at it.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.fakes.aws.cloud import ACCOUNT, REGION, SECRET, Cloud, account
from tests.fakes.functions import Function, Functions
from tests.fakes.modal.identity import ISSUER
from tests.fakes.modal.plane import ControlPlane
from tests.fakes.patience import PATIENCE_S

from preheat.errors import ProjectError, ProviderError
from preheat_providers.modal.provider import ModalProvider
from preheat_providers.modal.uploads.template import HEADER

KEYS = """
[secrets]
AWS_ACCESS_KEY_ID = "env:AWS_ACCESS_KEY_ID"
AWS_SECRET_ACCESS_KEY = "env:AWS_SECRET_ACCESS_KEY"
"""
TRIGGER = """
[env]
AWS_ENDPOINT_URL = "%s"
AWS_REGION = "%s"

[triggers.post]
type = "object-created"
bucket = "post-in"
prefix = "in/"
suffix = ".json"
output = "post-out/counted"
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with account() as cloud:
        for bucket in ("post-in", "post-out"):
            cloud.client("s3").create_bucket(Bucket=bucket)
        yield cloud


@pytest.fixture
def letters(functions: Functions, cloud: Cloud) -> Function:
    function = functions.fresh("letters")
    with (function.root / "preheat.toml").open("a") as file:
        file.write((KEYS + TRIGGER) % (cloud.server.endpoint, REGION))
    return function


@pytest.fixture
def asking(letters: Function, cloud: Cloud) -> Function:
    """The same function, which asks a queue; both buckets were there before, and the queue is the user's."""
    sqs, s3 = cloud.client("sqs"), cloud.client("s3")
    url = sqs.create_queue(QueueName=f"{letters.name}-told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sending = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy(sending)})
    told = [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]
    s3.put_bucket_notification_configuration(
        Bucket="post-in", NotificationConfiguration={"QueueConfigurations": told}
    )
    letters.edit("preheat.toml", KEYS, "")
    with (letters.root / "preheat.toml").open("a") as file:
        file.write(f'[provider.modal]\nupload_queue = "{url}"\naws_region = "{REGION}"\n')
        file.write(f'upload_role = "{role_for(letters, cloud, arn)}"\n')
    return letters


def role_for(function: Function, cloud: Cloud, queue: str) -> str:
    """The ARN of a role that trusts the function's containers alone, and gives what Modal's page says."""
    issuer = ISSUER.removeprefix("https://")
    app = f"*:app_name:preheat-{function.name}-dev:*"
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{issuer}:aud": issuer}, "StringLike": {f"{issuer}:sub": app}},
    }
    given = {
        "arn:aws:s3:::post-in": ["s3:ListBucket"],
        "arn:aws:s3:::post-in/*": ["s3:GetObject", "s3:GetObjectVersion"],
        "arn:aws:s3:::post-out/*": ["s3:PutObject"],
        queue: ["sqs:ReceiveMessage", "sqs:DeleteMessage"],
    }
    allowed = [{"Effect": "Allow", "Action": each, "Resource": where} for where, each in given.items()]
    iam, name = cloud.client("iam"), f"{function.name}-reader"
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
    iam.put_role_policy(RoleName=name, PolicyName="uploads", PolicyDocument=_policy(*allowed))
    return str(made["Role"]["Arn"])


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def event(key: str, sequencer: str = "1", etag: str = "0") -> bytes:
    detail = {"bucket": {"name": "post-in"}, "object": {"key": key, "etag": etag, "sequencer": sequencer}}
    head = {"source": "aws.s3", "detail-type": "Object Created", "time": "2026-11-21T10:00:00Z"}
    return json.dumps({**head, "detail": detail}).encode()


def tell(url: str, body: bytes, key: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body, {HEADER: key})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def key_of(cloud: Cloud) -> str:
    """The key as the connection sends it; AWS shows it to nobody, MiniStack does."""
    client = cloud.client("events")
    said: list[bytes] = []
    client.meta.events.register(
        "response-received.events.DescribeConnection",
        lambda response_dict, **_: said.append(response_dict["body"]),
    )
    [connection] = client.list_connections()["Connections"]
    client.describe_connection(Name=connection["Name"])
    return str(json.loads(said[0])["AuthParameters"]["ApiKeyAuthParameters"]["ApiKeyValue"])


def lines(plane: ControlPlane, event: str) -> list[str]:
    return [line for container in plane.containers for line in container.lines if f'"{event}"' in line]


def test_an_upload_is_answered_in_the_other_bucket_once(
    letters: Function, cloud: Cloud, plane: ControlPlane, provider: ModalProvider
) -> None:
    first = letters.deploy()
    assert first.changed
    assert letters.plan().changes == ()
    cloud.client("s3").put_object(Bucket="post-in", Key="in/a b+ü.json", Body=b'"hello"')
    result = "counted/in/a b+ü.json.json"
    plane.until(lambda: lines(plane, "upload-done"))
    assert json.loads(cloud.objects("post-out")[result])["result"] == 5

    app = f"preheat-{letters.name}-dev"
    url, key = plane.url(app, "uploads"), key_of(cloud)
    assert tell(url, event("in/x.json"), "wrong")[0] == 401
    assert tell(url, b"[]", key)[0] == 400
    assert b"skipped" in tell(url, event("elsewhere/x.json"), key)[1]

    begun = len([e for e in plane.journal if e.rpc == "FunctionMap" and e.container])
    one, two = (tell(url, event("in/gone.json"), key) for _ in range(2))
    assert one == two
    assert (one[0], json.loads(one[1])["call"][:3]) == (200, "fc-")
    plane.until(lambda: lines(plane, "upload-skipped"))
    assert len([e for e in plane.journal if e.rpc == "FunctionMap" and e.container]) == begun + 1
    assert len(lines(plane, "upload-again")) == 1

    removed = provider.destroy(letters.name, "dev", report=lambda _: None).removed
    assert any("AWS::Events::Connection" in each for each in removed)
    assert cloud.client("events").list_connections()["Connections"] == []


def test_an_upload_that_fails_has_its_attempts_and_one_whose_container_dies_is_run_again(
    letters: Function, cloud: Cloud, plane: ControlPlane, provider: ModalProvider
) -> None:
    letters.edit("handler.py", "import preheat", "import time\n\nimport preheat")
    letters.edit(
        "handler.py",
        "        if not text:",
        "        print('asked for', repr(text))\n"
        "        if text == 'broken':\n            raise RuntimeError\n"
        "        time.sleep(5 if text == 'slow' else 0)\n"
        "        if not text:",
    )
    letters.deploy()
    app = f"preheat-{letters.name}-dev"

    def times(text: str) -> int:
        mine = (line for c in plane.containers if c.function.app.name == app for line in c.lines)
        return sum(f"asked for {text!r}" in line for line in mine)

    def upload(text: str) -> None:
        body = json.dumps(text).encode()
        cloud.client("s3").put_object(Bucket="post-in", Key=f"in/a-{text}.json", Body=body)
        plane.until(lambda: times(text))

    def over() -> bool:
        return all(each.output is not None for each in plane.inputs(app, "Model.*"))

    upload("broken")
    upload("")
    plane.until(over)
    assert (times("broken"), times("")) == (3, 1)

    upload("slow")
    for container in plane.containers:
        container.kill()
    plane.until(over)
    assert times("slow") == 2
    assert json.loads(cloud.objects("post-out")["counted/in/a-slow.json.json"])["result"] == 4
    provider.destroy(letters.name, "dev", report=lambda _: None)


def test_a_stack_that_is_gone_is_made_again(letters: Function, cloud: Cloud, provider: ModalProvider) -> None:
    letters.deploy()
    stack = f"preheat-{letters.name}-dev-uploads"
    cloud.client("cloudformation").delete_stack(StackName=stack)
    cloud.client("cloudformation").get_waiter("stack_delete_complete").wait(StackName=stack)
    assert {change.kind for change in letters.plan().changes} == {"AWS::CloudFormation::Stack"}
    assert letters.deploy().changed
    assert letters.plan().changes == ()
    provider.destroy(letters.name, "dev", report=lambda _: None)


def test_a_project_without_keys_and_role_is_told_so_before_anything_is_made(
    letters: Function, plane: ControlPlane
) -> None:
    letters.edit("preheat.toml", 'AWS_SECRET_ACCESS_KEY = "env:AWS_SECRET_ACCESS_KEY"\n', "")
    before = len(plane.journal.entries)
    with pytest.raises(ProjectError, match="no keys of AWS") as raised:
        letters.deploy()
    assert "upload_role" in str(raised.value.hint)
    assert plane.journal.names()[before:].count("AppPublish") == 0


def test_a_queue_is_asked_every_minute_and_nothing_is_made_on_aws(
    asking: Function, cloud: Cloud, plane: ControlPlane, provider: ModalProvider
) -> None:
    before = cloud.inventory()
    asking.deploy()
    app = f"preheat-{asking.name}-dev"
    assert cloud.inventory() == before
    assert plane.schedules(app)["poll_uploads"].cron.cron_string == "* * * * *"
    assert asking.plan().changes == ()

    for key in ("in/a b+ü.json", "in/100%.json", "in/gone.json"):
        cloud.client("s3").put_object(Bucket="post-in", Key=key, Body=b'"hello"')
    cloud.client("s3").delete_object(Bucket="post-in", Key="in/gone.json")
    begun = len(lines(plane, "upload-done"))
    plane.fire(app, "poll_uploads")
    plane.until(lambda: len(lines(plane, "upload-done")) == begun + 2)
    results = cloud.objects("post-out", "counted/in/")
    assert {"counted/in/a b+ü.json.json", "counted/in/100%.json.json"} <= results.keys()
    assert "counted/in/gone.json.json" not in results
    plane.until(lambda: any("gone.json" in line for line in lines(plane, "upload-skipped")))

    plane.fire(app, "poll_uploads")
    plane.until(lambda: len(plane.inputs(app, "poll_uploads")) == 2)
    plane.until(lambda: all(each.output is not None for each in plane.inputs(app, "poll_uploads")))
    assert len(plane.inputs(app, "Model.*")) == 3
    assert provider.destroy(asking.name, "dev", report=lambda _: None).left == ()
    assert cloud.inventory() == before


def test_a_change_of_how_an_app_is_told_moves_it(
    asking: Function, cloud: Cloud, provider: ModalProvider
) -> None:
    asking.deploy()
    asking.edit("preheat.toml", "upload_queue", "# upload_queue")
    assert {change.kind for change in asking.plan().changes} == {
        "AWS::CloudFormation::Stack",
        "modal.Function",
    }
    asking.deploy()
    assert cloud.client("events").list_connections()["Connections"] != []
    asking.edit("preheat.toml", "# upload_queue", "upload_queue")
    asking.deploy()
    assert cloud.client("events").list_connections()["Connections"] == []
    provider.destroy(asking.name, "dev", report=lambda _: None)


def test_a_rollback_that_would_lose_uploads_is_refused(
    letters: Function, cloud: Cloud, provider: ModalProvider
) -> None:
    letters.deploy()
    letters.edit("handler.py", "len(text)", "len(text) * 2")
    letters.deploy()
    assert provider.rollback(letters.name, "dev", None).release == 1
    assert provider.promote(letters.name, "dev", canary=None).release == 2
    letters.edit("preheat.toml", 'prefix = "in/"', 'prefix = "new/"')
    letters.deploy()
    with pytest.raises(
        ProviderError, match=r"Release 2 of .* is not told of uploads as release 3"
    ) as refused:
        provider.rollback(letters.name, "dev", None)
    assert "preheat deploy --provider modal --stage dev" in str(refused.value.hint)
    assert [each.number for each in letters.releases() if each.active] == [3]
    provider.destroy(letters.name, "dev", report=lambda _: None)


def test_the_key_is_in_no_request_and_no_line(
    letters: Function, cloud: Cloud, plane: ControlPlane, provider: ModalProvider
) -> None:
    letters.deploy()
    key = key_of(cloud)
    assert len(key) >= 32
    assert not [e.rpc for e in plane.journal if key.encode() in e.request.SerializeToString()]
    assert not [line for c in plane.containers for line in c.lines if key in line or SECRET * 3 in line]
    assert ACCOUNT not in json.dumps([dict(e) for e in provider.logs(letters.name, "dev", follow=False)])
    provider.destroy(letters.name, "dev", report=lambda _: None)
