"""A TLS authority for the loopback, and a fetcher over a cache in the test's own folder."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from preheat.bundle.cache import Cache
from preheat.bundle.model import Target
from preheat.bundle.uv import Uv
from preheat.bundle.weights.fetch import Fetcher
from preheat.bundle.weights.http import Http
from preheat.progress import Report, quiet


def no_wait(seconds: float) -> None:
    """Stand in for time.sleep between attempts."""


@pytest.fixture
def http() -> Http:
    return Http(sleep=no_wait)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's TLS settings; clients made afterwards trust it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return context


@pytest.fixture
def make_fetcher(root: Path, target: Target, uv: Uv, cache: Cache) -> Callable[..., Fetcher]:
    def make(report: Report = quiet) -> Fetcher:
        return Fetcher(root, target, uv, Http(sleep=no_wait), cache, report)

    return make
