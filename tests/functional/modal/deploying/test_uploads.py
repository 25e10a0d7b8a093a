"""S3 to EventBridge to Modal and back: AWS is MiniStack with IAM in force, Modal is the control plane.

What neither shows: how long EventBridge waits, that it repeats for a day (MiniStack drops what is not
answered with 2xx), and Modal's identity tokens; here containers have keys in a Secret.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from tests.fakes.aws.cloud import ACCOUNT, REGION, SECRET, Cloud, account
from tests.fakes.functions import Function, Functions
from tests.fakes.modal.plane import ControlPlane

from preheat.errors import ProjectError
from preheat_providers.modal.provider import ModalProvider
from preheat_providers.modal.uploads.template import HEADER

TRIGGER = """
[secrets]
AWS_ACCESS_KEY_ID = "env:AWS_ACCESS_KEY_ID"
AWS_SECRET_ACCESS_KEY = "env:AWS_SECRET_ACCESS_KEY"

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
        file.write(TRIGGER % (cloud.server.endpoint, REGION))
    return function


def event(key: str, sequencer: str = "1", etag: str = "0") -> bytes:
    detail = {"bucket": {"name": "post-in"}, "object": {"key": key, "etag": etag, "sequencer": sequencer}}
    head = {"source": "aws.s3", "detail-type": "Object Created", "time": "2026-11-21T10:00:00Z"}
    return json.dumps({**head, "detail": detail}).encode()


def tell(url: str, body: bytes, key: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body, {HEADER: key})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
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
