"""What a deploy says when it cannot: who asks, where, and what is in its way."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import WaiterError
from tests.fakes.aws.cloud import Cloud
from tests.fakes.aws.mailbox import allow_service
from tests.fakes.aws.resources import stack_of
from tests.fakes.functions import Function, Functions

from preheat.errors import NotDeployed, PreheatError, ProviderError
from preheat.provider.registry import Registry
from preheat_providers.aws_lambda.template.names import log_group, stack_name, stack_tags

EXPIRED = b"""<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>
<Message>The security token included in the request is expired</Message></Error></ErrorResponse>"""


@pytest.fixture
def plain(functions: Functions) -> Function:
    return functions.fresh("plain")


def refused(function: Function) -> PreheatError:
    """Deploy with a provider that has asked nobody yet, and return what it raises."""
    provider = Registry.installed().get("aws_lambda")
    fresh = Function(provider=provider, root=function.root, name=function.name, options=function.options)
    with pytest.raises(ProviderError) as caught:
        fresh.deploy()
    return caught.value


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """Run a server that gives everybody the same answer, and yield its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_POST

        def log_message(self, format: str, *args: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}"
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


def test_without_credentials_it_says_where_they_come_from(
    plain: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    error = refused(plain)
    assert "credentials" in error.message
    assert "AWS_PROFILE" in str(error.hint) or "aws configure" in str(error.hint)


def test_an_expired_token_is_named_with_the_line_that_renews_it(
    plain: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(403, EXPIRED) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        error = refused(plain)
    assert "expired" in error.message
    assert "aws sso login" in str(error.hint)


def test_a_key_that_nobody_has_is_named(plain: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODY")
    error = refused(plain)
    assert error.hint
    assert "AWS" in error.message


def test_without_a_region_it_says_where_to_name_one(plain: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    error = refused(plain)
    assert "region" in error.message
    assert "AWS_REGION" in str(error.hint)


def test_in_a_region_without_the_bucket_it_says_how_to_make_one(
    plain: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    error = refused(plain)
    assert "eu-west-1" in error.message
    assert "preheat bootstrap --provider lambda --region eu-west-1" in str(error.hint)


def test_a_name_is_looked_for_where_the_project_in_the_current_folder_is(
    plain: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = plain.root / "preheat.toml"
    toml.write_text(toml.read_text() + '\n[provider.aws_lambda]\nregion = "eu-west-3"\n')
    monkeypatch.chdir(plain.root)
    for name, region in ((plain.name, "eu-west-3"), ("another", "us-east-1")):
        with pytest.raises(
            NotDeployed, match=f"'{name}' is not deployed at stage 'dev' in {region}"
        ) as caught:
            plain.provider.releases(name, "dev")
        assert "export AWS_REGION=" in str(caught.value.hint)


def test_a_stack_that_never_was_made_is_made_anew(plain: Function, cloud: Cloud) -> None:
    fail_to_make(cloud, plain, stack_tags(plain.name, plain.stage))
    plain.deploy()
    assert stack_of(cloud, stack_name(plain.name, plain.stage))["StackStatus"] == "CREATE_COMPLETE"
    assert plain.ask("you") == "first you"


def test_a_stack_of_that_name_that_is_somebody_elses_is_left_alone(plain: Function, cloud: Cloud) -> None:
    fail_to_make(cloud, plain, {"team": "others"})
    name = stack_name(plain.name, plain.stage)
    error = refused(plain)
    assert name in error.message
    assert stack_of(cloud, name)["StackStatus"] == "ROLLBACK_COMPLETE"


def fail_to_make(cloud: Cloud, function: Function, tags: Mapping[str, str]) -> None:
    """Leave a stack of the function's name as CloudFormation leaves one whose creation has failed."""
    name = stack_name(function.name, function.stage)
    cloud.client("logs").create_log_group(logGroupName=name)
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}
    client = cloud.client("cloudformation")
    client.create_stack(
        StackName=name,
        TemplateBody=json.dumps({"Resources": {"Group": group}}),
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
        client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


def test_a_log_group_that_is_there_already_is_named(plain: Function, cloud: Cloud) -> None:
    group = log_group(plain.name, plain.stage)
    cloud.client("logs").create_log_group(logGroupName=group)
    error = refused(plain)
    assert group in error.message
    assert group in str(error.hint)
    assert plain.provider.status(plain.name, plain.stage) == ()


def test_a_function_of_that_name_that_is_somebody_elses_is_left_alone(plain: Function, cloud: Cloud) -> None:
    name = stack_name(plain.name, plain.stage)
    client = cloud.client("lambda")
    role = "arn:aws:iam::123456789012:role/somebody"
    cloud.client("iam").create_role(RoleName="somebody", AssumeRolePolicyDocument=TRUST)
    code = {"ZipFile": EMPTY_ZIP}
    client.create_function(FunctionName=name, Runtime="python3.13", Role=role, Handler="a.b", Code=code)
    error = refused(plain)
    assert name in error.message
    assert client.get_function(FunctionName=name)["Configuration"]["Handler"] == "a.b"


def test_the_notifications_that_a_bucket_has_stay(functions: Functions, cloud: Cloud) -> None:
    s3, sqs = cloud.client("s3"), cloud.client("sqs")
    bucket = "shared-uploads"
    s3.create_bucket(Bucket=bucket)
    url = sqs.create_queue(QueueName="somebody-elses")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow_service(cloud, url, arn, "s3.amazonaws.com")
    theirs = [{"Id": "theirs", "QueueArn": arn, "Events": ["s3:ObjectRemoved:*"]}]
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": theirs}
    )
    function = functions.fresh("plain")
    toml = function.root / "preheat.toml"
    toml.write_text(toml.read_text() + UPLOADS)
    function.deploy()
    found = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert found["QueueConfigurations"] == theirs
    assert "EventBridgeConfiguration" in found


UPLOADS = """
[triggers.uploads]
type = "object-created"
bucket = "shared-uploads"
prefix = "in/"
output = "shared-uploads/out"
"""
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
