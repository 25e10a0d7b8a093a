"""The test's own S3 as the one that the environment names, with real boto3 in front of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "team-artifacts"


@pytest.fixture
def s3_endpoint(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty server; the environment has its address and credentials for it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    return s3_endpoint


@pytest.fixture
def s3(s3_endpoint: str) -> "Iterator[S3Client]":
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    client.create_bucket(Bucket=BUCKET)
    yield client
    client.close()
