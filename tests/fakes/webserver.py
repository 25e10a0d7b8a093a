"""A web server on the loopback that can misbehave: no ranges, cut connections, redirects, refusals."""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class WebServer:
    """Serves `pages`, and records in `seen` what was asked for.

    `cuts` holds after how many bytes the next answers break off; `authorization` is the header
    that every request must carry.
    """

    pages: dict[str, bytes]
    url: str = ""
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    redirects: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
    authorization: str | None = None
    seen: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)


@contextmanager
def serving(server: WebServer, *, tls: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    """Run `server` on a free port until the block ends."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            server.seen.append((path, dict(self.headers.items())))
            if server.authorization not in (None, self.headers.get("Authorization")):
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic")
                self.end_headers()
            elif target := server.redirects.get(path):
                self.send_response(302)
                self.send_header("Location", target)
                self.end_headers()
            elif status := server.refusals.get(path):
                self.send_error(status)
            elif path in server.pages:
                self._send(server.pages[path])
            else:
                self.send_error(404)

        do_HEAD = do_GET

        def _send(self, content: bytes) -> None:
            asked = self.headers.get("Range")
            first, last = 0, len(content) - 1
            if asked and server.ranges:
                start, _, end = asked.removeprefix("bytes=").partition("-")
                first, last = int(start), min(last, int(end) if end else last)
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
            else:
                self.send_response(200)
            body = content[first : last + 1]
            self.send_header("Content-Length", str(len(body)))
            if self.path.endswith("/"):
                self.send_header("Content-Type", "text/html")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body[: server.cuts.pop(0)] if server.cuts else body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    if tls is not None:
        listener.socket = tls.wrap_socket(listener.socket, server_side=True)
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()
