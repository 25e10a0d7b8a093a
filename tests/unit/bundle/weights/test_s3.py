from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from preheat.bundle.weights.s3 import open_s3
from preheat.bundle.weights.source import S3
from preheat.errors import BundleError


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def _credentials(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _models(_credentials: None) -> None:
    client = boto3.client("s3")
    client.create_bucket(Bucket="models")
    client.close()


def test_an_object_is_read() -> None:
    client = boto3.client("s3")
    client.put_object(Bucket="models", Key="a/x y.onnx", Body=b"weights" * 1000)
    incoming = open_s3(S3("models", "a/x y.onnx"))
    assert incoming.total == 7000
    assert b"".join(incoming.chunks) == b"weights" * 1000
    client.close()


@pytest.mark.parametrize(("bucket", "code"), [("models", "NoSuchKey"), ("nowhere", "NoSuchBucket")])
def test_what_is_not_there_is_said(bucket: str, code: str) -> None:
    with pytest.raises(
        BundleError, match=f"s3://{bucket}/none cannot be read: the store answered {code}"
    ) as caught:
        open_s3(S3(bucket, "none"))
    assert "s3:GetObject" in str(caught.value.hint)


def test_without_credentials_it_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    boto3.DEFAULT_SESSION = None
    with pytest.raises(BundleError, match="Unable to locate credentials") as caught:
        open_s3(S3("models", "x"))
    assert "AWS_PROFILE" in str(caught.value.hint)
