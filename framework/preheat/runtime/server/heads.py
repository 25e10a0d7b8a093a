"""What the head of a request must be, beyond what its parser demands (RFC 9112). Pure."""

import json
import re
from collections.abc import Sequence
from http import HTTPStatus

from preheat.interface.message import PROBLEM_TYPE
from preheat.runtime.direct import RawHeaders

_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]*)?")
_OF_CONNECTION = frozenset({b"connection", b"upgrade", b"http2-settings"})


class Refused(Exception):
    """What a client sent is no request that can be answered."""

    def __init__(self, status: HTTPStatus, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after_s = retry_after_s

    def answer(self) -> bytes:
        """Return the whole answer, behind which the connection closes."""
        document = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
        }
        body = json.dumps(document).encode()
        lines = [
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            f"content-type: {PROBLEM_TYPE}",
            f"content-length: {len(body)}",
            "connection: close",
        ]
        if self.retry_after_s is not None:
            lines.append(f"retry-after: {self.retry_after_s}")
        return "\r\n".join([*lines, "", ""]).encode() + body


def check_codings(values: Sequence[bytes], version: str) -> None:
    """Refuse every transfer coding but chunked, and that too before HTTP/1.1 (RFC 9112 section 6.1)."""
    if version == "1.0":
        raise Refused(HTTPStatus.BAD_REQUEST, "HTTP/1.0 has no transfer-encoding.")
    codings = [coding.strip().lower() for coding in b",".join(values).split(b",")]
    if set(codings) != {b"chunked"}:
        raise Refused(HTTPStatus.NOT_IMPLEMENTED, "Only the transfer-encoding chunked is read.")
    if len(codings) > 1:
        raise Refused(HTTPStatus.BAD_REQUEST, "The transfer-encoding chunked is there more than once.")


def check_head(version: str, hosts: Sequence[bytes]) -> None:
    """Refuse other versions, and anything but one good Host (RFC 9112 section 3.2)."""
    if version not in ("1.1", "1.0"):
        raise Refused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "Send HTTP/1.1.")
    if len(hosts) != 1 and (hosts or version == "1.1"):
        raise Refused(HTTPStatus.BAD_REQUEST, f"A request needs one Host header; this one has {len(hosts)}.")
    if hosts and not _HOST.fullmatch(hosts[0]):
        raise Refused(HTTPStatus.BAD_REQUEST, "The Host header is no host with an optional port.")


def check_size(url: bytes, headers: RawHeaders, most: int) -> None:
    """Refuse a head that is complete and larger than `most` bytes."""
    if len(url) + sum(len(name) + len(value) for name, value in headers) > most:
        raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"The head is larger than {most} bytes.")


def without_upgrade(method: bytes, url: bytes, version: str, headers: RawHeaders) -> bytes:
    """Return the head of the same request without its wish for another protocol, which may be ignored.

    Java's HttpClient asks for h2c in every first request, and llhttp reads no body behind that.
    """
    tokens = [
        token.strip()
        for name, value in headers
        if name == b"connection"
        for token in value.lower().split(b",")
        if token.strip() in (b"close", b"keep-alive")
    ]
    kept = [(name, value) for name, value in headers if name not in _OF_CONNECTION]
    lines = [b"%b %b HTTP/%b" % (method, url, version.encode())]
    lines += [b"%b: %b" % field for field in [*kept, *((b"connection", token) for token in tokens)]]
    return b"\r\n".join([*lines, b"", b""])
