import ssl
import urllib.error

import pytest
from tests.fakes.webserver import WebServer, serving

from preheat.bundle.weights.http import ATTEMPTS, Http, RangesIgnored, Refused
from preheat.bundle.weights.https import open_https
from preheat.bundle.weights.source import Https
from preheat.errors import BundleError

CONTENT = bytes(range(256)) * 400


def test_a_connection_that_breaks_goes_on_where_it_was(http: Http) -> None:
    with serving(WebServer({"/x": CONTENT}, cuts=[1000, 50_000])) as server:
        incoming = http.open(f"{server.url}/x")
        assert b"".join(incoming.chunks) == CONTENT
    assert incoming.total == len(CONTENT)
    assert [headers.get("Range") for _, headers in server.seen] == [None, "bytes=1000-", "bytes=51000-"]


def test_a_server_without_ranges_sends_all_again_and_nothing_is_read_twice(http: Http) -> None:
    with serving(WebServer({"/x": CONTENT}, cuts=[1000, 500, 70_000], ranges=False)) as server:
        assert b"".join(http.open(f"{server.url}/x").chunks) == CONTENT


def test_a_part_that_breaks_goes_on_within_the_part(http: Http) -> None:
    with serving(WebServer({"/x": CONTENT}, cuts=[10])) as server:
        part = http.open(f"{server.url}/x", first=100, last=299)
        assert part.total == 200
        assert b"".join(part.chunks) == CONTENT[100:300]


def test_a_connection_that_always_breaks_is_an_error(http: Http) -> None:
    with serving(WebServer({"/x": CONTENT}, cuts=[1] * ATTEMPTS)) as server:
        with pytest.raises(
            BundleError, match=f"broke the connection {ATTEMPTS} times, after {ATTEMPTS} bytes"
        ):
            list(http.open(f"{server.url}/x").chunks)
        assert len(server.seen) == ATTEMPTS


def test_the_size_needs_a_server_that_serves_parts(http: Http) -> None:
    with serving(WebServer({"/x": CONTENT})) as server:
        assert http.size(f"{server.url}/x") == len(CONTENT)
        server.ranges = False
        with pytest.raises(RangesIgnored):
            http.size(f"{server.url}/x")
        with pytest.raises(RangesIgnored):
            http.open(f"{server.url}/x", first=1)


def test_a_refusal_carries_its_status(http: Http) -> None:
    with (
        serving(WebServer({}, refusals={"/x": 403})) as server,
        pytest.raises(Refused, match="403") as caught,
    ):
        http.open(f"{server.url}/x")
    assert caught.value.status == 403


def test_a_server_that_is_not_there_is_said(http: Http) -> None:
    with serving(WebServer({})) as server:
        pass
    with pytest.raises(BundleError, match=r"127\.0\.0\.1 cannot be reached: .*refused"):
        http.open(f"{server.url}/x")


def test_credentials_stay_with_the_host_that_they_are_for(http: Http) -> None:
    with serving(WebServer({"/x": b"x"})) as other:
        moved = {"/here": "/x", "/away": f"{other.url}/x"}
        with serving(WebServer({"/x": b"x"}, redirects=moved)) as server:
            for path in moved:
                headers = {"Authorization": "Bearer secret"}
                assert b"".join(http.open(f"{server.url}{path}", headers=headers).chunks) == b"x"
    assert [headers.get("Authorization") for _, headers in server.seen] == ["Bearer secret"] * 3
    assert [headers.get("Authorization") for _, headers in other.seen] == [None]


def test_https_is_verified_and_never_left(tls: ssl.SSLContext) -> None:
    with serving(WebServer({"/x": b"x"})) as plain:
        moved = {"/away": f"{plain.url}/x"}
        with serving(WebServer({"/x": b"x"}, redirects=moved), tls=tls) as server:
            http = Http()
            assert b"".join(open_https(Https(f"{server.url}/x"), http).chunks) == b"x"
            with pytest.raises(BundleError, match="which is not https"):
                open_https(Https(f"{server.url}/away"), http)
    assert plain.seen == []


def test_an_unknown_authority_is_refused(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with (
        serving(WebServer({"/x": b"x"}), tls=tls) as server,
        pytest.raises(BundleError, match="CERTIFICATE_VERIFY_FAILED") as caught,
    ):
        Http().open(f"{server.url}/x")
    assert isinstance(caught.value.__cause__, urllib.error.URLError)
