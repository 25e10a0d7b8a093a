"""Somebody's webhook receiver on the loopback: it keeps what is POSTed to it, and acknowledges."""

import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.fakes.patience import PATIENCE_S


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST; header names are in lower case."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """Where callers may send webhooks to."""

    url: str
    _arrived: "queue.Queue[Delivery]" = field(default_factory=queue.Queue)

    def next(self) -> Delivery:
        """Wait for the next POST."""
        return self._arrived.get(timeout=PATIENCE_S)

    def keep(self, delivery: Delivery) -> None:
        """Record a POST."""
        self._arrived.put(delivery)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver on a free port until the block ends."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.keep(Delivery({key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}/done")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
