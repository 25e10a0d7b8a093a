"""Answers 503 while the model loads, from a process of its own.

For a platform that asks /ping from the start and gives each answer two seconds, as SageMaker does. A
thread of the server could not keep that: making a session may hold the interpreter's lock for longer,
and a host that is to fork may have no second thread.
"""

import gc
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import NoReturn

from preheat.runtime.failures import describe
from preheat.runtime.log import log_to_stderr
from preheat.runtime.server.heads import Refused

ANSWER = Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The model is loading.", retry_after_s=1).answer()
PATIENCE_S = 2.0
"""How long a client may take for a head, and then for closing its end."""
LEAVING_S = 0.25
"""How long the clients that are here may take once the server itself answers."""
MOST = 64
"""How many clients at once; the others wait in the kernel."""
LONGEST_HEAD = 64 * 1024


class WaitingRoom:
    """The process that answers until `close`; it ends with this one whatever happens to that."""

    def __init__(self, listener: socket.socket) -> None:
        ours, self._line = os.pipe()  # neither end survives an exec
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._line)
            _wait_in(listener, ours)
        os.close(ours)

    def close(self) -> None:
        """Let whoever is being answered have that, and return when nobody is answered there any more."""
        if self._pid:
            with suppress(BrokenPipeError):
                os.write(self._line, b"x")  # not only closed: a forked worker may hold the same end
            os.waitpid(self._pid, 0)
            os.close(self._line)
            self._pid = 0


def _wait_in(listener: socket.socket, line: int) -> NoReturn:
    """Be that process."""
    try:
        gc.freeze()
        for number in (signal.SIGINT, signal.SIGTERM):  # meant for the server, whose end ends this
            signal.signal(number, signal.SIG_IGN)
        Answering(listener, line).run()
    except Exception as exc:  # noqa: BLE001 - the process's boundary: whatever happened must reach the log
        log_to_stderr({"level": "error", "event": "waiting-room-failed", "message": describe(exc)})
    finally:
        os._exit(0)


@dataclass(eq=False, slots=True)
class _Client:
    connection: socket.socket
    until: float
    head: bytes = b""
    answered: bool = False


class Answering:
    """One loop over all clients, until something comes down `line`, or nobody holds its other end."""

    def __init__(
        self, listener: socket.socket, line: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._listener = listener
        self._line = line
        self._clock = clock
        self._clients: dict[int, _Client] = {}
        self._leaving_at: float | None = None

    def run(self) -> None:
        """Answer."""
        while self._leaving_at is None or (self._clients and self._clock() < self._leaving_at):
            self._turn()
        for client in self._clients.values():
            client.connection.close()

    def _turn(self) -> None:
        poll = select.poll()
        for descriptor in self._clients:
            poll.register(descriptor, select.POLLIN)
        if self._leaving_at is None:
            poll.register(self._line, select.POLLIN)
            if len(self._clients) < MOST:
                poll.register(self._listener, select.POLLIN)
        for descriptor, _ in poll.poll(self._wait_ms()):
            if descriptor == self._line:
                self._leaving_at = self._clock() + LEAVING_S
            elif descriptor == self._listener.fileno():
                self._accept()
            else:
                self._read(self._clients[descriptor])
        now = self._clock()
        for client in [client for client in self._clients.values() if client.until <= now]:
            self._forget(client)

    def _wait_ms(self) -> float | None:
        ends = [client.until for client in self._clients.values()]
        if self._leaving_at is not None:
            ends.append(self._leaving_at)
        return max(0.0, min(ends) - self._clock()) * 1000 + 1 if ends else None

    def _accept(self) -> None:
        with suppress(OSError):  # gone again, or no descriptor left: the next turn sees
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            self._clients[connection.fileno()] = _Client(connection, self._clock() + PATIENCE_S)

    def _read(self, client: _Client) -> None:
        try:
            data = client.connection.recv(LONGEST_HEAD)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._forget(client)
        elif not client.answered:
            client.head += data
            if b"\r\n\r\n" in client.head or len(client.head) > LONGEST_HEAD:
                self._answer(client)

    def _answer(self, client: _Client) -> None:
        """Send it and read on: closing with something unread would reset, and overtake, the answer."""
        client.answered, client.head = True, b""
        client.until = self._clock() + PATIENCE_S
        try:
            client.connection.sendall(ANSWER)
            client.connection.shutdown(socket.SHUT_WR)
        except OSError:
            self._forget(client)

    def _forget(self, client: _Client) -> None:
        del self._clients[client.connection.fileno()]
        client.connection.close()
