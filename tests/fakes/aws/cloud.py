"""An account on the loopback, as a test sees it: its clients, its endpoints, and everything that is in it."""

import platform
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.fakes.aws.ministack import Ministack
from tests.fakes.environments import PYTHON
from tests.fakes.patience import PATIENCE_S

from preheat_providers.aws_lambda.template.names import default_bucket

ACCOUNT, SECRET, REGION = "123456789012", "test", "us-east-1"
"""MiniStack takes a key of twelve digits as that of the root of this account."""
BUCKET = default_bucket(ACCOUNT, REGION)

SETTINGS = f'python = "{PYTHON}"\n'
OPTIONS = {"architecture": "arm64" if platform.machine() == "aarch64" else "x86_64"}
"""What a project says so that its functions run on this machine."""

LISTED = (
    ("lambda", "list_functions", "Functions", "FunctionArn"),
    ("lambda", "list_layers", "Layers", "LayerArn"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("iam", "list_roles", "Roles", "Arn"),
    ("sqs", "list_queues", "QueueUrls", ""),
    ("dynamodb", "list_tables", "TableNames", ""),
    ("events", "list_rules", "Rules", "Arn"),
    ("scheduler", "list_schedules", "Schedules", "Arn"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmArn"),
    ("apigatewayv2", "get_apis", "Items", "ApiId"),
    ("s3", "list_buckets", "Buckets", "Name"),
)
"""Service, operation, where its answer has the list, and what names each thing in it."""


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Cloud:
    """The account, at `server`."""

    server: Ministack

    @property
    def port(self) -> int:
        """Where the server listens."""
        return self.server.port

    def client(self, service: str) -> Any:
        """Return a client of a service."""
        return boto3.client(
            service,
            endpoint_url=self.server.endpoint,
            region_name=REGION,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key=SECRET,
        )

    def inventory(self) -> set[str]:
        """Return what exists."""
        found = set()
        for service, operation, where, name in LISTED:
            for each in getattr(self.client(service), operation)().get(where, ()):
                found.add(f"{service} {each[name] if name else each}")
        return found | {f"s3 {BUCKET}/{key}" for key in self.objects(BUCKET)}

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """Return what lies in a bucket under `prefix`."""
        client = self.client("s3")
        listed = client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
        return {
            each["Key"]: client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed
        }

    def post(self, url: str, body: bytes, *, signed: bool = False, **headers: str) -> Answer:
        """Send `body` to a Function URL, which has a name in no name service; `signed` with SigV4."""
        return self._ask("POST", url, body, headers, signed=signed)

    def get(self, url: str, **headers: str) -> Answer:
        """Ask a Function URL."""
        return self._ask("GET", url, None, headers, signed=False)

    def _ask(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], *, signed: bool
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = AWSRequest(method, url, data=body, headers={**named, "Host": urlsplit(url).netloc})
        if signed:
            SigV4Auth(Credentials(ACCOUNT, SECRET), "lambda", REGION).add_auth(asked)
        address = self.server.endpoint + urlsplit(url).path
        request = urllib.request.Request(address, body, dict(asked.headers.items()), method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return Answer(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read())


def variables(endpoint: str) -> Mapping[str, str]:
    """Return what leads AWS's libraries to `endpoint`, and keeps what this machine has of AWS from them."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


@contextmanager
def account(server: Ministack | None = None) -> Iterator[Cloud]:
    """An account that has what `preheat bootstrap` makes; the environment leads to it."""
    with server or Ministack() as server, pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            environment.delenv(name, raising=False)
        for name, value in variables(server.endpoint).items():
            environment.setenv(name, value)
        cloud = Cloud(server)
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        yield cloud
