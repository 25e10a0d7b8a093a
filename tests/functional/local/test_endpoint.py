import json
import socket
import ssl
import stat
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest
from tests.fakes.local import Local
from tests.fakes.patience import PATIENCE_S

from preheat.errors import ProviderError
from preheat.interface.manifest import Limits
from preheat.project.model import HttpTrigger

pytestmark = pytest.mark.runtime

LEAKY = """
    import os
    import preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            self.key = None

        def restore(self, ctx):
            self.key = ctx.secret("KEY")

        def predict(self, text: str) -> str:
            print("the key is", self.key, flush=True)
            return self.key[:3]
"""


def raw(endpoint: str, data: bytes) -> bytes:
    """Send `data` and return everything that comes until the other side closes."""
    url = urlsplit(endpoint)
    with socket.create_connection((url.hostname, url.port), timeout=PATIENCE_S) as connection:
        connection.sendall(data)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def test_a_token_is_shown_once_kept_as_a_hash_and_required(local: Local) -> None:
    local.configure(triggers=(HttpTrigger(auth="token"),))
    made = local.deploy()
    assert made.token is not None
    assert local.provider.deployment("demo", "dev").token is None
    assert local.answer("x") == "X", "preheat invoke has it from a private file"
    kept = local.client.paths.token("demo@dev")
    assert local.provider.deployment("demo", "dev").token_file == str(kept)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert made.token not in local.client.paths.state.read_bytes().decode("latin-1")

    def post(token: str | None) -> int:
        request = urllib.request.Request(made.endpoint + "/invocations", b'"x"', method="POST")
        request.add_header("content-type", "application/json")
        if token is not None:
            request.add_header("authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code if error.headers["www-authenticate"] == "Bearer" else 0

    assert [post(None), post("wrong"), post(made.token)] == [401, 401, 200]
    local.client.shut_down()
    local.status()
    assert post(made.token) == 200, "the token survives a restart"


def test_an_open_endpoint_has_no_file_with_a_token(local: Local) -> None:
    local.configure(triggers=(HttpTrigger(auth="none"),))
    assert local.deploy().token_file is None


def test_https_is_served_by_an_authority_whose_certificate_is_named(local: Local) -> None:
    local.configure(provider={"local": {"tls": True}})
    made = local.deploy()
    assert made.endpoint.startswith("https://")
    authority = local.client.paths.tls / "ca.pem"
    assert any(str(authority) in note for note in made.notes)
    trusting = ssl.create_default_context(cafile=str(authority))
    with urllib.request.urlopen(made.endpoint + "/ping", context=trusting) as answer:
        assert answer.status == 200
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(made.endpoint + "/ping")
    assert local.answer("x") == "X"


def test_turning_https_on_keeps_the_port(local: Local) -> None:
    before = urlsplit(local.deploy().endpoint)
    local.configure(provider={"local": {"tls": True}})
    after = urlsplit(local.deploy().endpoint)
    assert (before.scheme, after.scheme) == ("http", "https")
    assert before.port == after.port
    assert local.answer("x") == "X"


def test_a_body_over_the_limit_is_refused_before_it_is_read(local: Local) -> None:
    local.configure(limits=Limits(body_bytes=1000, timeout_s=20.0))
    endpoint = local.deploy().endpoint
    head = b"POST /invocations HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5000000\r\n\r\n"
    assert raw(endpoint, head).startswith(b"HTTP/1.1 413 ")
    assert local.status().workers == 0


def test_what_is_no_http_is_a_400_problem(local: Local) -> None:
    answer = raw(local.deploy().endpoint, b"\x16\x03\x01 hello\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 400


def test_a_secret_reaches_the_handler_and_no_log(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "abc-very-secret")
    local.configure(secrets={"KEY": "env:MY_KEY"})
    local.deploy(LEAKY)
    assert local.answer("x") == "abc"
    assert local.until_logged("output")["message"] == "the key is ***"
    folder = local.client.paths.secrets("demo@dev")
    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600]


def test_a_missing_secret_stops_the_deploy_before_anything_changes(local: Local) -> None:
    local.configure(secrets={"KEY": "env:NOT_SET_ANYWHERE"})
    with pytest.raises(ProviderError, match="NOT_SET_ANYWHERE"):
        local.deploy(LEAKY)
    assert local.provider.status(None, None) == ()


def test_the_environment_of_a_worker_is_ours_and_the_projects(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL_ONLY", "1")
    local.configure(env={"MODE": "fast"})
    local.deploy("""
        import os
        import preheat

        class Model(preheat.Handler):
            def predict(self, name: str) -> str:
                return os.environ.get(name, "unset")
    """)
    names = ("MODE", "SHELL_ONLY", "ORT_DISABLE_TELEMETRY", "PYTHONDONTWRITEBYTECODE")
    assert [local.answer(name) for name in names] == ["fast", "unset", "1", "unset"]
