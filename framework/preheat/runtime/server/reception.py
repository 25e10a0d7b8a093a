"""Accepts the connections of a server with several workers, and hands each to the least loaded of them."""

import errno
import socket
from collections.abc import Callable, Mapping

from preheat.runtime.failures import describe
from preheat.runtime.log import Log
from preheat.runtime.server.workers import Worker, next_worker

ACCEPTED_AT_ONCE = 64
PAUSE_S = 1.0
"""How long nothing is accepted after the system ran out of descriptors or memory."""
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Reception:
    """Stands between `listener`, which listens, and `workers`, which come and go."""

    def __init__(
        self,
        listener: socket.socket,
        workers: Mapping[int, Worker],
        clock: Callable[[], float],
        log: Log,
    ) -> None:
        self._listener = listener
        self._workers = workers
        self._clock = clock
        self._log = log
        self._given = 0
        self._held: socket.socket | None = None
        self._paused_until: float | None = None

    def fileno(self) -> int:
        """Return the descriptor to wait on while `can_accept`."""
        return self._listener.fileno()

    def can_accept(self) -> bool:
        """Whether somebody can take a connection now; the rest waits in the kernel."""
        if self._paused_until is not None and self._clock() >= self._paused_until:
            self._paused_until = None
        if self._held is not None and self._give(self._held):
            self._held = None
        idle = self._held is None and self._paused_until is None
        return idle and next_worker(self._workers.values()) is not None

    def resumes_in_s(self) -> float | None:
        """In how many seconds a pause is over, or None without one."""
        return None if self._paused_until is None else max(0.0, self._paused_until - self._clock())

    def accept(self) -> bool:
        """Hand out what waits, as far as it goes; tell whether more may wait, which is for the next time."""
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, _ = self._listener.accept()
            except ConnectionAbortedError:
                continue
            except BlockingIOError:
                return False
            except OSError as exc:
                if exc.errno not in EXHAUSTED:
                    raise
                message = f"{describe(exc)}. Nothing is accepted for {PAUSE_S:g} s."
                self._log({"level": "error", "event": "accept-failed", "message": message})
                self._paused_until = self._clock() + PAUSE_S
                return False
            if not self._give(connection):
                self._held = connection
                return False
        return True

    def close(self) -> None:
        """Hand out what has connected already, which closing would reset, and take no more."""
        while self.can_accept() and self.accept():
            pass
        self.forget()

    def forget(self) -> None:
        """Close this process's descriptors."""
        self._listener.close()
        if self._held is not None:
            self._held.close()
            self._held = None

    def _give(self, connection: socket.socket) -> bool:
        while (worker := next_worker(self._workers.values())) is not None:
            self._given += 1
            if worker.give(connection, self._given):
                connection.close()
                return True
        return False
