"""An S3 and SQS server of the test's own, on a port of the system's choice."""

import urllib.request
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def _server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # a second, of those tests only that ask for it

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_endpoint(_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty server; the environment has credentials for it."""
    for name, value in (
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
