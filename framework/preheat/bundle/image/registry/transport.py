"""Requests to one registry: what is lost or throttled is sent again, redirects lose the login.

Every answer is read within a bound. Who sends a body that cannot be repeated as it is asks for one attempt.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from urllib.parse import urljoin, urlsplit

import httpx

from preheat.bundle.image.document import LARGEST
from preheat.bundle.image.reference import Reference, is_loopback
from preheat.bundle.image.registry.problems import RegistryError

TIMEOUT_S = 60.0
ATTEMPTS = 6
LONGEST_WAIT_S = 60.0
REPEATED = frozenset({408, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_NOTHING: Mapping[str, str] = MappingProxyType({})

Body = Callable[[], Iterable[bytes]] | bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. `url` may be relative to the registry; a callable `body` gives its pieces anew."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    body: Body = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `url` is where from; names of headers are found in any case."""

    status: int
    headers: httpx.Headers
    body: bytes
    url: str


class Lost(RegistryError):
    """The connection broke, or the registry was busy, as often as we tried."""


class Stopped(RegistryError):
    """Somebody else has given up: what is under way ends here, and is no failure of its own."""


class Transport:
    """One registry. Safe to use from several threads.

    Once `stopped` is set, requests raise Stopped: before they begin, and between two pieces of their body.
    Without `sleep`, waits are cut short then.
    """

    def __init__(
        self,
        registry: Reference,
        *,
        sleep: Callable[[float], object] | None = None,
        stopped: threading.Event | None = None,
    ) -> None:
        self.registry = registry.registry
        self.address = registry.address
        self._stopped = stopped or threading.Event()
        self._sleep = sleep or self._stopped.wait
        own_machine = is_loopback(urlsplit(self.address).netloc)
        self._http = httpx.Client(
            timeout=TIMEOUT_S,
            trust_env=not own_machine,  # no proxy stands before this machine
            headers={"Accept-Encoding": "identity", "User-Agent": "preheat"},
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, call: Call, *, attempts: int = ATTEMPTS) -> Answer:
        """Return the answer of any status. Raises Lost when none came or only busy ones, and Stopped."""
        with self.open(call, attempts=attempts) as response:
            return answer_of(response)

    @contextmanager
    def open(self, call: Call, *, attempts: int = ATTEMPTS) -> Iterator[httpx.Response]:
        """Yield the answer with its body unread."""
        response = self._repeated(call, attempts)
        try:
            yield response
        finally:
            response.close()

    def wait(self, attempt: int, answer: "Answer | httpx.Response | None") -> None:
        """Wait after attempt number `attempt`: as long as the registry asks for, else ever longer."""
        asked = _retry_after(answer.headers.get("retry-after")) if answer is not None else None
        self._sleep(min(asked if asked is not None else 0.25 * 2**attempt, LONGEST_WAIT_S))

    def _repeated(self, call: Call, attempts: int) -> httpx.Response:
        for attempt in range(1, attempts + 1):
            self._check()
            try:
                response = self._followed(call)
            except httpx.TransportError as exc:
                if attempt == attempts:
                    raise self._lost(exc) from exc
                self.wait(attempt, None)
                continue
            if response.status_code not in REPEATED or attempt == attempts:
                return response
            response.close()
            self.wait(attempt, response)
        raise AssertionError("unreachable")

    def _followed(self, call: Call) -> httpx.Response:
        url, headers = urljoin(self.address, call.url), dict(call.headers)
        for _ in range(_MOST_REDIRECTS + 1):
            body = self._pieces(call.body()) if callable(call.body) else call.body
            request = self._http.build_request(call.method, url, headers=headers, content=body)
            response = self._http.send(request, stream=True)
            if response.status_code not in _REDIRECTS or "location" not in response.headers:
                return response
            response.close()
            before, url = url, urljoin(url, response.headers["location"])
            check_redirect(before, url)
            if urlsplit(before).netloc != urlsplit(url).netloc:
                headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        raise RegistryError(f"{self.registry} redirects in a circle, to {url}.")

    def _pieces(self, body: Iterable[bytes]) -> Iterator[bytes]:
        for piece in body:
            self._check()
            yield piece

    def _check(self) -> None:
        if self._stopped.is_set():
            raise Stopped(f"{self.registry} is asked nothing more.")

    def _lost(self, exc: httpx.TransportError) -> "Lost":
        reason = str(exc) or type(exc).__name__
        return Lost(
            f"{self.registry} cannot be reached: {reason}.",
            hint="Check the name, the network and the proxy (HTTPS_PROXY).",
        )


def check_redirect(before: str, after: str) -> None:
    """Raise RegistryError where a redirect would leave https."""
    if urlsplit(before).scheme == "https" and urlsplit(after).scheme != "https":
        raise RegistryError(f"{urlsplit(before).netloc} redirects to {after}, which is not https.")


def answer_of(response: httpx.Response) -> Answer:
    """Read `response`, but not more than a manifest may have. Raises RegistryError."""
    body = b""
    try:
        for piece in response.iter_raw():
            body += piece
            if len(body) > LARGEST:
                raise RegistryError(f"{response.url} sent more than {LARGEST:,} bytes where none is larger.")
    except httpx.TransportError as exc:
        raise Lost(f"{response.url} broke off: {exc or type(exc).__name__}.") from exc
    return Answer(response.status_code, response.headers, body, str(response.url))


def _retry_after(value: str | None) -> float | None:
    """Return seconds; the header holds them, or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max((when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)
