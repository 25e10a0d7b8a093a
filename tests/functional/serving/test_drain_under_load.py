"""A server that is told to stop while clients send as fast as they can."""

import http.client
import json
import threading
import time
from collections.abc import Callable

import pytest
from tests.fakes.patience import PATIENCE_S
from tests.fakes.servers import UPPER, ServerProcess

from preheat.runtime.server.process import IDLE_S

pytestmark = pytest.mark.runtime

CLIENTS = 8


class Client(threading.Thread):
    """Sends on one connection until it may not, as an HTTP client should: a `connection: close` is obeyed.

    A busy machine that stops it for IDLE_S between two requests makes its connection an idle one.
    """

    def __init__(self, server: ServerProcess, under_load: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._under_load = under_load
        self.answered = 0
        self._since = time.monotonic()
        self.lost: list[str] = []

    def run(self) -> None:
        connection = self._server.connect()
        try:
            while True:
                connection.connect()
                self._since = time.monotonic()
                while self._ask(connection):
                    pass
                connection.close()
        except ConnectionRefusedError:
            return  # it says so before anything was sent: nothing is lost
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() - self._since < IDLE_S:
                self.lost.append(repr(error))
        finally:
            connection.close()

    def _ask(self, connection: http.client.HTTPConnection) -> bool:
        headers = {"content-type": "application/json"}
        connection.request("POST", "/invocations", json.dumps(f"text {self.answered}"), headers)
        answer = connection.getresponse()
        body = json.loads(answer.read())
        assert (answer.status, body["text"]) == (200, f"TEXT {self.answered}"), body
        self.answered += 1
        self._since = time.monotonic()
        if self.answered == 50:
            self._under_load()
        return answer.getheader("connection") != "close"


@pytest.mark.parametrize("workers", [1, 2])
def test_no_request_is_lost(start: Callable[..., ServerProcess], workers: int) -> None:
    server = start("--workers", str(workers), source=UPPER)
    server.until("ready", times=workers)
    under_load = threading.Barrier(CLIENTS + 1, timeout=30)
    clients = [Client(server, under_load.wait) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    under_load.wait()
    server.stop()
    for client in clients:
        client.join(PATIENCE_S)
    assert [client.lost for client in clients] == [[]] * CLIENTS
    assert server.ended() == 0
    assert not any(client.is_alive() for client in clients)
