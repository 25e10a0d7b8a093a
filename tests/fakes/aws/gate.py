"""A proxy in front of the account that stops the first request of a kind, so that a test can act then."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.fakes.aws.cloud import Cloud
from tests.fakes.patience import PATIENCE_S


class Gate:
    """Stands at `url`. The first request with `wanted` in its first line or body waits for `open`.

    With `answered`, it is carried out first, and its answer waits.
    """

    def __init__(self, wanted: str, *, answered: bool) -> None:
        self.url = ""
        self._wanted = wanted.encode()
        self._answered = answered
        self._reached = threading.Event()
        self._opened = threading.Event()

    def until_reached(self) -> None:
        """Wait until the request is here."""
        assert self._reached.wait(PATIENCE_S), f"no request with {self._wanted.decode()}"

    def open(self) -> None:
        """Let everything through from now on."""
        self._opened.set()

    def stop(self, text: bytes) -> bool:
        """Say whether this is the request that waits."""
        return self._wanted in text and not self._reached.is_set()

    def hold(self) -> None:
        """Keep the request until the gate is open."""
        self._reached.set()
        assert self._opened.wait(PATIENCE_S), "nobody opened the gate"

    @property
    def answered(self) -> bool:
        return self._answered


@contextmanager
def gate(cloud: Cloud, wanted: str, *, answered: bool = False) -> Iterator[Gate]:
    """Run a gate in front of `cloud` until the block ends."""
    stands = Gate(wanted, answered=answered)

    class Through(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            stopped = stands.stop(self.requestline.encode() + body)
            if stopped and not stands.answered:
                stands.hold()
            status, headers, answer = self._ask(body)
            if stopped and stands.answered:
                stands.hold()
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in ("connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _pass

        def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            with closing(
                http.client.HTTPConnection("127.0.0.1", cloud.server.port, timeout=PATIENCE_S)
            ) as connection:
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    connection.putheader(name, value)
                connection.endheaders(body)
                with connection.getresponse() as answer:
                    return answer.status, answer.getheaders(), answer.read()

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that was interrupted has hung up."""

    listener = Server(("127.0.0.1", 0), Through)
    stands.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stands
    finally:
        stands.open()
        listener.shutdown()
        thread.join()
        listener.server_close()
