import errno
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from preheat.runtime.server.line import CLOSED, CONNECTION, make_line, receive
from preheat.runtime.server.reception import ACCEPTED_AT_ONCE, PAUSE_S, Reception
from preheat.runtime.server.workers import Worker, next_worker


class Hall:
    """A reception, its listener, and workers that are sockets only."""

    def __init__(self) -> None:
        self.now = 10.0
        self.events: list[dict[str, Any]] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.workers: dict[int, Worker] = {}
        self.ends: dict[int, socket.socket] = {}
        self.reception = Reception(self.listener, self.workers, lambda: self.now, self.events.append)
        self.callers: list[socket.socket] = []

    def add(self, slot: int, *, ready: bool = True) -> Worker:
        line, self.ends[slot] = make_line()
        pidfd = os.open(os.devnull, os.O_RDONLY)
        worker = Worker(slot=slot, pid=0, pidfd=pidfd, line=line, started=0.0, ready=ready)
        self.workers[slot] = worker
        return worker

    def call(self) -> None:
        self.callers.append(socket.create_connection(self.listener.getsockname()))

    def got(self, slot: int) -> int:
        """Return how many connections have come to the worker of `slot` since the last look."""
        count = 0
        while (received := receive(self.ends[slot])) is not None:
            message, connection = received
            assert (message, connection is None) == (CONNECTION, False)
            assert connection is not None
            assert not connection.get_inheritable()
            connection.close()
            count += 1
        return count

    def close(self) -> None:
        self.reception.forget()
        for worker in self.workers.values():
            worker.forget()
        for each in (*self.callers, *self.ends.values()):
            each.close()


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall()
    yield hall
    hall.close()


def test_connections_go_round_and_to_whom_has_the_fewest(hall: Hall) -> None:
    first, _ = hall.add(0), hall.add(1)
    for _ in range(6):
        hall.call()
    hall.reception.accept()
    assert (hall.got(0), hall.got(1)) == (3, 3)
    first.connections -= 2
    for _ in range(2):
        hall.call()
    hall.reception.accept()
    assert (hall.got(0), hall.got(1)) == (2, 0)


def test_nothing_is_accepted_while_no_worker_is_ready(hall: Hall) -> None:
    worker = hall.add(0, ready=False)
    assert not hall.reception.can_accept()
    worker.ready = True
    assert hall.reception.can_accept()
    worker.leaving = True
    assert not hall.reception.can_accept()


def test_a_worker_whose_line_is_full_is_passed_over_until_it_speaks(hall: Hall) -> None:
    busy = hall.add(0)
    while busy.give(hall.listener, 1):
        pass
    busy.connections = 0
    assert not busy.takes_connections
    hall.add(1)
    hall.call()
    hall.reception.accept()
    assert hall.got(1) == 1


def test_a_connection_that_nobody_could_take_is_held_for_the_next_who_can(hall: Hall) -> None:
    dead = hall.add(0)
    hall.ends[0].close()
    hall.call()
    hall.reception.accept()
    assert dead.leaving
    assert not hall.reception.can_accept()
    hall.add(1)
    assert hall.reception.can_accept()
    assert hall.got(1) == 1


def test_closing_hands_out_what_has_connected_already(hall: Hall) -> None:
    hall.add(0)
    for _ in range(3):
        hall.call()
    hall.reception.close()
    assert hall.got(0) == 3
    with pytest.raises(OSError, match="Bad file descriptor"):
        hall.call()


def test_closing_hands_out_more_than_one_turn_does(hall: Hall) -> None:
    hall.add(0)
    count = ACCEPTED_AT_ONCE + 36
    for _ in range(count):
        hall.call()
    hall.reception.close()
    assert hall.got(0) == count


def test_a_caller_who_gave_up_before_the_accept_keeps_nobody_waiting(hall: Hall) -> None:
    class Aborting(socket.socket):
        aborted = False

        def accept(self) -> tuple[socket.socket, Any]:
            if not self.aborted:
                self.aborted = True
                raise ConnectionAbortedError
            return super().accept()

    hall.add(0)
    hall.call()
    with Aborting(fileno=os.dup(hall.listener.fileno())) as listener:
        Reception(listener, hall.workers, lambda: hall.now, hall.events.append).close()
    assert hall.got(0) == 1


def test_a_machine_out_of_descriptors_pauses_the_reception(hall: Hall) -> None:
    class Exhausted(socket.socket):
        def accept(self) -> tuple[socket.socket, Any]:
            raise OSError(errno.EMFILE, "Too many open files")

    hall.add(0)
    with Exhausted() as listener:
        reception = Reception(listener, hall.workers, lambda: hall.now, hall.events.append)
        reception.accept()
        assert "Too many open files" in hall.events[0]["message"]
        assert not reception.can_accept()
        assert reception.resumes_in_s() == PAUSE_S
        hall.now += PAUSE_S
        assert reception.can_accept()
        assert reception.resumes_in_s() is None


def test_a_worker_that_is_told_to_drain_gets_nothing_more(hall: Hall) -> None:
    worker = hall.add(0)
    worker.drain()
    assert receive(hall.ends[0]) == (b"", None)
    assert next_worker(hall.workers.values()) is None
    hall.ends[0].send(CLOSED)
    assert receive(worker.line) == (CLOSED, None), "what it has to tell is heard as before"


def test_a_worker_whose_line_is_full_is_told_to_drain_behind_its_connections(hall: Hall) -> None:
    worker = hall.add(0)
    given = 0
    while worker.give(hall.listener, given + 1):
        given += 1
    assert worker.full
    worker.drain()
    for _ in range(given):
        received = receive(hall.ends[0])
        assert received is not None
        message, connection = received
        assert message == CONNECTION
        assert connection is not None
        connection.close()
    assert receive(hall.ends[0]) == (b"", None)


def test_an_end_that_closed_is_noticed(hall: Hall) -> None:
    worker = hall.add(0)
    hall.ends[0].close()
    assert receive(worker.line) == (b"", None)
