"""Reading over HTTP: a stream that goes on where it broke off, and ranges of a file."""

import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping
from typing import IO
from urllib.parse import urlsplit

from preheat.bundle.weights.transfer import CHUNK, Incoming
from preheat.errors import BundleError

TIMEOUT_S = 30
ATTEMPTS = 4
LOST = (OSError, http.client.HTTPException)
"""What a broken connection raises; urllib.error.URLError is an OSError."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to http, and hands credentials to no other host."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if before.scheme == "https" and after.scheme != "https":
            raise BundleError(f"{before.hostname} redirects to {newurl}, which is not https.")
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and before.netloc != after.netloc:
            request.remove_header("Authorization")
        return request


class Http:
    """A client for one build. `sleep` waits between attempts."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        tls = urllib.request.HTTPSHandler(context=ssl.create_default_context())
        self._opener = urllib.request.build_opener(_Redirects, tls)

    def open(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        first: int = 0,
        last: int | None = None,
    ) -> Incoming:
        """Open `url`, or its bytes from `first` to `last`. Raises BundleError if the server refuses.

        A connection that breaks is opened again where it broke off, a few times; a server that
        knows no ranges then sends everything again, and what was read before is skipped.
        """
        response = self._request(url, headers or {}, first, last)
        length = response.headers.get("Content-Length")
        total = int(length) if length is not None else None
        if first and response.status != http.client.PARTIAL_CONTENT:
            response.close()
            raise RangesIgnored(f"{_host(url)} does not serve parts of {url}.")
        return Incoming(total, self._chunks(response, url, headers or {}, first, last, total))

    def size(self, url: str) -> int:
        """Return how many bytes `url` has. Raises RangesIgnored if the server serves no parts of it."""
        response = self._request(url, {}, 0, 0)
        response.close()
        span, _, total = response.headers.get("Content-Range", "").partition("/")
        if response.status != http.client.PARTIAL_CONTENT or span != "bytes 0-0" or not total.isdigit():
            raise RangesIgnored(f"{_host(url)} does not serve parts of {url}.")
        return int(total)

    def _chunks(
        self,
        response: http.client.HTTPResponse,
        url: str,
        headers: Mapping[str, str],
        first: int,
        last: int | None,
        total: int | None,
    ) -> Generator[bytes, None, None]:
        done = skip = attempt = 0
        while True:
            try:
                with response:
                    while chunk := response.read(CHUNK):
                        kept = chunk[min(skip, len(chunk)) :]
                        skip -= len(chunk) - len(kept)
                        done += len(kept)
                        if kept:
                            yield kept
                if total is None or done >= total:
                    return
                raise http.client.IncompleteRead(b"", total - done)
            except LOST as exc:
                attempt += 1
                if attempt == ATTEMPTS:
                    raise BundleError(
                        f"{_host(url)} broke the connection {ATTEMPTS} times, after {done:,} bytes.",
                        hint="Check the network and build again.",
                    ) from exc
            self._sleep(0.25 * 2**attempt)
            response = self._request(url, headers, first + done, last)
            skip = 0 if response.status == http.client.PARTIAL_CONTENT else first + done

    def _request(
        self, url: str, headers: Mapping[str, str], first: int, last: int | None
    ) -> http.client.HTTPResponse:
        request = urllib.request.Request(url, headers={"Accept-Encoding": "identity", **headers})  # noqa: S310 - callers pass https, or an address from the user's own settings
        if first or last is not None:
            request.add_header("Range", f"bytes={first}-{'' if last is None else last}")
        try:
            response: http.client.HTTPResponse = self._opener.open(request, timeout=TIMEOUT_S)
        except urllib.error.HTTPError as exc:
            exc.close()
            raise Refused(exc.code, f"{_host(url)} answered {exc.code} {exc.reason} for {url}.") from exc
        except LOST as exc:
            reason = getattr(exc, "reason", exc)
            raise BundleError(
                f"{_host(url)} cannot be reached: {reason}.",
                hint="Check the address, the network and the proxy.",
            ) from exc
        return response


class RangesIgnored(BundleError):
    """The server serves only whole files."""


class Refused(BundleError):
    """The server answered with an error; `status` is its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message, hint="Check the address, and whether it needs credentials.")
        self.status = status


def _host(url: str) -> str:
    return urlsplit(url).hostname or url
