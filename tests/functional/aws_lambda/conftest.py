"""An S3 of the test's own over HTTP, on a port of the system's choice, with real boto3 in front of it."""

import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "team-artifacts"


@pytest.fixture(scope="session")
def _server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_endpoint(_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty server; the environment has credentials for it."""
    for name, value in (
        ("AWS_ENDPOINT_URL", _server),
        ("AWS_ACCESS_KEY_ID", "AKIATESTONLY"),
        ("AWS_SECRET_ACCESS_KEY", "never-to-be-logged"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ):
        monkeypatch.setenv(name, value)
    urllib.request.urlopen(urllib.request.Request(f"{_server}/moto-api/reset", method="POST")).close()
    return _server


@pytest.fixture
def s3(s3_endpoint: str) -> "Iterator[S3Client]":
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    client.create_bucket(Bucket=BUCKET)
    yield client
    client.close()
