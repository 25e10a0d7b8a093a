"""Lambda's Invoke API for asynchronous calls: it queues them, and a test hands them on when it wants to."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.lambda_emulator import Emulator, Reply

ATTEMPTS = 3


@dataclass
class Calls:
    """The calls that wait, by the name that was called. With `refused` each is turned away, and counted."""

    url: str = ""
    waiting: list[tuple[str, bytes]] = field(default_factory=list)
    refused: bool = False
    turned_away: int = 0

    def deliver(self, function: Emulator, *, between: Callable[[], None] = lambda: None) -> list[Reply]:
        """Make every call that waits, three times if it fails; `between` runs before each repetition."""
        waiting, self.waiting = self.waiting, []
        replies = []
        for _, payload in waiting:
            for attempt in range(ATTEMPTS):
                if attempt:
                    between()
                replies.append(function.invoke(json.loads(payload)))
                if not failed(replies[-1]):
                    break
        return replies


def failed(reply: Reply) -> bool:
    """Say whether a call ended in an error of the function or of its runtime."""
    try:
        value: Any = reply.value
    except ValueError:  # what the emulator says of a time-out is no JSON
        return True
    return isinstance(value, dict) and "errorType" in value


@contextmanager
def call_queue() -> Iterator[Calls]:
    """Serve the API."""
    calls = Calls()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            payload = self.rfile.read(int(self.headers["content-length"]))
            _, _, _, name, _ = self.path.split("/")
            assert self.headers["x-amz-invocation-type"] == "Event"
            if calls.refused:
                calls.turned_away += 1
                self.send_response(429)
                self.send_header("x-amzn-errortype", "TooManyRequestsException")
            else:
                calls.waiting.append((name, payload))
                self.send_response(202)
            self.send_header("content-length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    calls.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield calls
    finally:
        server.shutdown()
        server.server_close()
