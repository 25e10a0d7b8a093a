import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from preheat.errors import ProviderError
from preheat_providers.aws_lambda.shipped.weights.credentials import Credentials, read_credentials

KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"}
DOCUMENT = {
    "AccessKeyId": "ASIA",
    "SecretAccessKey": "other",
    "Token": "t",
    "Expiration": "2026-11-21T12:00:00Z",
}


@contextmanager
def endpoint(wanted: str) -> Iterator[str]:
    """Serve credentials to whoever brings the token `wanted`."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            right = self.headers.get("Authorization") == wanted and self.path == "/v1?role=x"
            self.send_response(200 if right else 403)
            self.end_headers()
            self.wfile.write(json.dumps(DOCUMENT).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1?role=x"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_environment_has_them() -> None:
    assert read_credentials(KEYS) == Credentials(key="AKIA", secret="secret")
    assert read_credentials(KEYS | {"AWS_SESSION_TOKEN": "t"}).token == "t"


def test_under_snapstart_they_come_from_the_local_endpoint(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    with endpoint("from-variable") as address:
        environ = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": address,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "from-variable",
        }
        assert read_credentials(environ) == Credentials(key="ASIA", secret="other", token="t")
    with endpoint("from-file") as address:
        environ = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": address,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
        }
        assert read_credentials(environ).key == "ASIA"


def test_a_refusal_is_said() -> None:
    with endpoint("other") as address, pytest.raises(ProviderError, match="answered 403"):
        read_credentials({"AWS_CONTAINER_CREDENTIALS_FULL_URI": address})


def test_an_endpoint_that_is_not_there_is_said() -> None:
    with endpoint("x") as address:
        pass
    with pytest.raises(ProviderError, match=r"could not be read from 127\.0\.0\.1"):
        read_credentials({"AWS_CONTAINER_CREDENTIALS_FULL_URI": address})


@pytest.mark.parametrize("environ", [{}, {"AWS_ACCESS_KEY_ID": "AKIA"}])
def test_without_any_it_is_said(environ: dict[str, str]) -> None:
    with pytest.raises(ProviderError, match="no credentials to read the weights with"):
        read_credentials(environ)


def test_secrets_are_not_shown() -> None:
    shown = repr(read_credentials(KEYS | {"AWS_SESSION_TOKEN": "session"}))
    assert "secret" not in shown.replace("secret=", "")
    assert "session" not in shown
