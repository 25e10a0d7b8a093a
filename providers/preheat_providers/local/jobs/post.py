"""One POST to a checked address: no redirect, no proxy, no second look-up, and an end in bounded time."""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult

from preheat_providers.local.jobs.addresses import check_url, resolve

CONNECT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What to send, and where. `private` as in `check_url`."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    private: bool
    within_s: float


def send(post: Post) -> int:
    """Send it and return the answer's status. Raises OSError, HTTPException, Refused, BadInput."""
    parts = check_url(post.url, private=post.private)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = resolve(host, port, private=post.private)
    plain = _connect(addresses, port)
    # A peer that sends one byte now and then would never meet the socket's timeout.
    # TLS takes the socket over, so the timer needs a handle of its own.
    handle = plain.dup()
    late = threading.Event()
    timer = threading.Timer(post.within_s, _abort, (handle, late))
    timer.daemon = True
    timer.start()
    try:
        status = _exchange(plain, parts, port, post)
    finally:
        timer.cancel()
        handle.close()
        plain.close()
    if late.is_set():
        raise TimeoutError(f"no whole answer within {post.within_s:g} s")
    return status


def _exchange(plain: socket.socket, parts: SplitResult, port: int, post: Post) -> int:
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    plain.settimeout(post.within_s)
    stream = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
    connection = http.client.HTTPConnection(host, port, timeout=post.within_s)
    connection.sock = stream
    # HTTPConnection leaves out only port 80 from the header; with TLS, 443 is left out too.
    name = f"[{host}]" if ":" in host else host
    shown = name if port == (443 if secure else 80) else f"{name}:{port}"
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        connection.request("POST", target, post.body, {**post.headers, "host": shown, "connection": "close"})
        return connection.getresponse().status
    finally:
        connection.close()
        stream.close()


def _connect(addresses: tuple[str, ...], port: int) -> socket.socket:
    failure: OSError = OSError("the host has no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=CONNECT_S)
        except OSError as error:
            failure = error
    raise failure


def _abort(connection: socket.socket, late: threading.Event) -> None:
    late.set()
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
