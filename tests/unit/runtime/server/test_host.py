import os
import socket
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from preheat.runtime.server.host import Host
from preheat.runtime.server.line import LEAVING, READY, make_line, receive
from preheat.runtime.server.signals import Signals
from preheat.runtime.server.workers import Worker


class Server:
    """A host with one worker that it has not forked: a process that ends by itself, and `end` of its line."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.signals = Signals()
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        self.host = Host(listener, self.signals, never, wanted=1, drain_s=1.0, log=self.events.append)
        pid = os.posix_spawnp("false", ["false"], os.environ)
        line, self.end = make_line()
        self.worker = Worker(slot=0, pid=pid, pidfd=os.pidfd_open(pid), line=line, started=0.0)
        self.host._workers[0] = self.worker

    def close(self) -> None:
        self.host._reception.forget()
        self.signals.close()
        self.end.close()
        if self.host._workers:
            os.waitpid(self.worker.pid, 0)
            self.worker.forget()


def never(_slot: int, _line: socket.socket) -> NoReturn:
    raise AssertionError


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def test_a_worker_that_was_ready_and_died_between_two_looks_of_one_poll_is_replaced(server: Server) -> None:
    server.end.send(READY)
    server.host._bury(server.worker)
    (event,) = server.events
    assert event["event"] == "worker-ended"
    assert "exit code 1. The next one starts" in event["message"]


def test_a_worker_that_leaves_is_told_when_the_host_has_heard_it(server: Server) -> None:
    server.end.send(READY)
    server.end.send(LEAVING)
    server.host._hear(server.worker)
    assert not server.worker.takes_connections
    assert receive(server.end) == (b"", None)
