"""An S3 on the loopback that serves parts of objects, and breaks, throttles and lies on demand."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Cut:
    """Promise the whole part, send `after` bytes of it and hang up."""

    after: int


@dataclass(frozen=True)
class Refuse:
    """Answer with an error of S3."""

    status: int
    code: str = "SlowDown"
    retry_after: str | None = None


@dataclass(frozen=True)
class Lie:
    """Send the object from another place than was asked for; `honest` says so in Content-Range."""

    honest: bool


@dataclass(frozen=True)
class Ignore:
    """Send the whole object, as a server without ranges does."""


Fault = Cut | Refuse | Lie | Ignore


@dataclass
class ObjectStore:
    """Serves `objects` by their path. Each request takes one of `faults`, which may be None.

    With `together`, none is answered before as many have come as it says.
    """

    objects: dict[str, bytes]
    faults: list[Fault | None] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0
    together: threading.Barrier | None = None
    host: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_fault(self) -> Fault | None:
        with self.lock:
            return self.faults.pop(0) if self.faults else None


@contextmanager
def serving(store: ObjectStore) -> Iterator[ObjectStore]:
    """Run `store` on a free port until the block ends."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def setup(self) -> None:
            with store.lock:
                store.connections += 1
            super().setup()

        def do_GET(self) -> None:
            if store.together is not None:
                store.together.wait()
            asked = self.headers.get("Range", "")
            store.seen.append((self.path, asked))
            store.headers.append({name.lower(): value for name, value in self.headers.items()})
            if self.path not in store.objects:
                self._refuse(Refuse(404, "NoSuchKey"))
                return
            content = store.objects[self.path]
            first, last = (int(number) for number in asked.removeprefix("bytes=").split("-"))
            match store.next_fault():
                case Refuse() as refusal:
                    self._refuse(refusal)
                case Ignore():
                    self._send(200, None, content)
                case Lie(honest):
                    start = first if not honest else first + 1
                    wrong = content[:1] * (last + 1 - first)
                    self._send(206, f"bytes {start}-{last}/{len(content)}", wrong)
                case Cut(after):
                    part = content[first : last + 1]
                    self._send(206, f"bytes {first}-{last}/{len(content)}", part, sent=after)
                    self.close_connection = True
                case None:
                    part = content[first : last + 1]
                    self._send(206, f"bytes {first}-{last}/{len(content)}", part)

        def _send(self, status: int, span: str | None, body: bytes, *, sent: int | None = None) -> None:
            self.send_response(status)
            if span is not None:
                self.send_header("Content-Range", span)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:sent])
            self.wfile.flush()

        def _refuse(self, refusal: Refuse) -> None:
            body = f"<?xml version='1.0'?><Error><Code>{refusal.code}</Code></Error>".encode()
            self.send_response(refusal.status)
            if refusal.retry_after is not None:
                self.send_header("Retry-After", refusal.retry_after)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is part of the tests."""

    listener = Server(("127.0.0.1", 0), Answer)
    store.host = f"127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield store
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()
