"""What Lambda's runtime API has and the emulator's lacks, as a proxy before it: restores, traces, deadlines.

No snapshot is taken: the runtime goes on in the same process, as it would in one made of the snapshot.
"""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.fakes.patience import PATIENCE_S

HOP = frozenset({"host", "content-length", "transfer-encoding", "expect", "connection", "date"})
TRACE, DEADLINE = "Lambda-Runtime-Trace-Id", "Lambda-Runtime-Deadline-Ms"


@dataclass
class RuntimeApi:
    """Stands at `port` before the runtime API at `upstream`. `seen` are the requests, `errors` the bodies
    of failed restores. Each restore waits for `restored`. Every event is part of `trace`, and its deadline
    is told `sooner_ms` before the emulator's."""

    upstream: int
    port: int = 0
    seen: list[str] = field(default_factory=list)
    errors: list[bytes] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    restored: threading.Event = field(default_factory=threading.Event)
    trace: str = ""
    sooner_ms: int = 0


@contextmanager
def runtime_api(upstream: int) -> Iterator[RuntimeApi]:
    """Run a proxy."""
    proxy = RuntimeApi(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            _answer(self, proxy, None)

        def do_POST(self) -> None:
            _answer(self, proxy, _body(self))

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing: a connection breaks whenever a test ends its function."""

    server = Server(("127.0.0.1", 0), Handler)
    proxy.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, proxy: RuntimeApi, body: bytes | None) -> None:
    proxy.seen.append(f"{request.command} {request.path}")
    if request.path.endswith("/restore/next"):
        proxy.asked.set()
        assert proxy.restored.wait(PATIENCE_S)
        _send(request, 200, {}, b"")
    elif request.path.endswith("/restore/error"):
        proxy.errors.append(body or b"")
        _send(request, 202, {}, b"")
    else:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
        connection = http.client.HTTPConnection("127.0.0.1", proxy.upstream, timeout=PATIENCE_S)
        try:
            connection.request(request.command, request.path, body, headers)
            answer = connection.getresponse()
            sent = dict(answer.getheaders())
            if DEADLINE in sent:
                sent |= {TRACE: proxy.trace} if proxy.trace else {}
                sent |= {DEADLINE: str(int(sent[DEADLINE]) - proxy.sooner_ms)}
            _send(request, answer.status, sent, answer.read())
        finally:
            connection.close()


def _send(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    request.send_response(status)
    for name, value in headers.items():
        if name.lower() not in HOP:
            request.send_header(name, value)
    request.send_header("content-length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if request.headers.get("transfer-encoding") != "chunked":
        return request.rfile.read(int(request.headers.get("content-length") or 0))
    parts = []
    while size := int(request.rfile.readline().split(b";")[0], 16):
        parts.append(request.rfile.read(size))
        request.rfile.readline()
    request.rfile.readline()
    return b"".join(parts)
