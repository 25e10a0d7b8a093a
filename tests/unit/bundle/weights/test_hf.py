import pytest
from tests.fakes.webserver import WebServer, serving

from preheat.bundle.weights.hf import open_hub
from preheat.bundle.weights.http import Http
from preheat.bundle.weights.source import Hub
from preheat.errors import BundleError

FILE = "/org/repo/resolve/abc123/onnx/model.onnx"
SOURCE = Hub("org/repo", "abc123", "onnx/model.onnx")


def test_a_file_is_read_at_its_revision_with_the_users_token(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with serving(WebServer({FILE: b"weights"})) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        assert b"".join(open_hub(SOURCE, http).chunks) == b"weights"
    ((path, headers),) = server.seen
    assert path == FILE
    assert headers["Authorization"] == "Bearer hf_secret"


@pytest.mark.parametrize(
    ("status", "way_on"), [(401, "hf auth login"), (403, "hf auth login"), (404, "revision")]
)
def test_a_refusal_says_what_to_do(
    http: Http, monkeypatch: pytest.MonkeyPatch, status: int, way_on: str
) -> None:
    with serving(WebServer({}, refusals={FILE: status})) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        with pytest.raises(BundleError, match=f"answered {status} for .* of org/repo at abc123") as caught:
            open_hub(SOURCE, http)
    assert way_on in str(caught.value.hint)
