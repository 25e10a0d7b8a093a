"""The image registry of the account as ECR has it: nobody gets in without a login, the host says whose it is.

MiniStack's registry lets everybody in, and takes the account and region from the host. The answer to a
caller without the login is ECR's: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
"""

import base64
import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import urlsplit

from tests.fakes.patience import PATIENCE_S

DROPPED = frozenset({"connection", "transfer-encoding", "date", "server"})


@dataclass
class Door:
    """The registry at `host`; `login` is user and password, `seen` the method, path and size of requests."""

    login: tuple[str, str]
    host: str = ""
    seen: list[tuple[str, str, int]] = field(default_factory=list)


class Behind(Protocol):
    """The account whose registry is behind a door, in a server on `port`."""

    @property
    def port(self) -> int:
        """Where the server listens."""
        ...

    def client(self, service: str) -> Any:
        """Return a client of a service."""
        ...


@contextmanager
def registry_door(cloud: Behind) -> Iterator[Door]:
    """Let in whoever has the token that ECR gives now, until the block ends."""
    [given] = cloud.client("ecr").get_authorization_token()["authorizationData"]
    token = given["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    door = Door((user, password))
    own = urlsplit(given["proxyEndpoint"]).netloc

    class Through(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") != f"Basic {token}":
                challenge = f'Basic realm="https://{own}/",service="ecr.amazonaws.com"'
                self._answer(401, [("Www-Authenticate", challenge)], b"Not Authorized\n")
                return
            door.seen.append((self.command, self.path, len(body)))
            kept = {name: value for name, value in self.headers.items() if name.lower() != "authorization"}
            connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=PATIENCE_S)
            try:
                connection.request(self.command, self.path, body, {**kept, "Host": own})
                answer = connection.getresponse()
                self._answer(answer.status, answer.getheaders(), answer.read())
            finally:
                connection.close()

        do_GET = do_POST = do_PUT = do_PATCH = do_HEAD = _pass

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            sized = {name.lower() for name, _ in headers}
            for name, value in headers:
                if name.lower() not in DROPPED:
                    self.send_header(name, value)
            if "content-length" not in sized:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Through)
    listener.daemon_threads = True
    door.host = f"127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield door
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()
