"""The workers of one host: which there are, how loaded each is, and which gets the next connection."""

import os
import socket
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from preheat.runtime.server.line import CONNECTION


@dataclass(eq=False, slots=True, kw_only=True)
class Worker:
    """One worker process. `given` is the number of the last connection that it got, 0 for none."""

    slot: int
    pid: int
    pidfd: int
    line: socket.socket
    started: float
    ready: bool = False
    leaving: bool = False
    full: bool = False
    connections: int = 0
    given: int = 0

    @property
    def takes_connections(self) -> bool:
        """Whether it may get one now."""
        return self.ready and not self.leaving and not self.full

    def give(self, connection: socket.socket, number: int) -> bool:
        """Hand `connection` over as the one with `number`; False when this worker cannot take it now."""
        try:
            socket.send_fds(self.line, [CONNECTION], [connection.fileno()])
        except BlockingIOError:
            self.full = True  # it is too busy to read: until it says something, others are asked
            return False
        except OSError:
            self.leaving = True
            return False
        self.connections += 1
        self.given = number
        return True

    def drain(self) -> None:
        """Give it no more, and so tell it to answer what it has and end."""
        self.leaving = True
        with suppress(OSError):
            self.line.shutdown(socket.SHUT_WR)

    def forget(self) -> None:
        """Close this process's descriptors of it."""
        self.line.close()
        os.close(self.pidfd)


def next_worker(workers: Collection[Worker]) -> Worker | None:
    """Return who gets the next connection: the fewest open ones, then the longest without a new one."""
    takers = [worker for worker in workers if worker.takes_connections]
    return min(takers, key=lambda worker: (worker.connections, worker.given), default=None)
