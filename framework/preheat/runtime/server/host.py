"""The process above several workers: it hands them connections, and replaces those that die.

A connection goes to the worker with the fewest open ones. Workers that accept from one shared socket
would share them by chance, and with a socket for each, one that dies takes with it what the kernel
had queued there. It has one thread and waits in poll, so that it can fork workers at any time; it
runs none of the user's code and reads no request.
"""

import os
import select
import signal
import socket
import time
from collections.abc import Callable
from typing import NoReturn

from preheat.runtime.failures import describe, user_traceback
from preheat.runtime.log import Log, log_to_stderr
from preheat.runtime.model_process import flush_output
from preheat.runtime.server.line import CLOSED, LEAVING, READY, make_line, receive
from preheat.runtime.server.reception import Reception
from preheat.runtime.server.restarts import Restarts
from preheat.runtime.server.signals import Signals
from preheat.runtime.server.workers import Worker
from preheat.runtime.supervision import describe_exit

Begin = Callable[[int, socket.socket], NoReturn]
"""Makes a just forked process the worker of a slot, with its end of the line to the host."""

GRACE_S = 5.0
"""What a worker gets to end by itself, beyond what its requests get."""


class Host:
    """Keeps `wanted` workers, which `begin` makes of forks, behind `listener`, which listens.

    `on_first_ready` is called before the first connection is accepted.
    """

    def __init__(
        self,
        listener: socket.socket,
        signals: Signals,
        begin: Begin,
        *,
        wanted: int,
        drain_s: float,
        on_first_ready: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        log: Log = log_to_stderr,
    ) -> None:
        self._signals = signals
        self._begin = begin
        self._wanted = wanted
        self._drain_s = drain_s
        self._on_first_ready = on_first_ready
        self._clock = clock
        self._log = log
        self._workers: dict[int, Worker] = {}
        self._reception = Reception(listener, self._workers, clock, log)
        self._restarts = Restarts(clock)
        self._poll = select.poll()
        self._on: dict[int, Callable[[], None]] = {}
        self._served = False
        self._deadline: float | None = None
        self._code = 0

    def run(self) -> int:
        """Keep the workers until told to stop; return the exit code."""
        self._signals.catch()
        self._watch(self._signals.fileno(), self._obey)
        for slot in range(self._wanted):
            self._start(slot)
        while self._workers or self._deadline is None:
            self._receive_or_not()
            for descriptor, _ in self._poll.poll(self._wait_ms()):
                if descriptor in self._on:  # what came before it in this round may have ended it
                    self._on[descriptor]()
            self._keep_time()
        return self._code

    def _watch(self, descriptor: int, react: Callable[[], None]) -> None:
        self._on[descriptor] = react
        self._poll.register(descriptor, select.POLLIN)

    def _unwatch(self, descriptor: int) -> None:
        if self._on.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def _receive_or_not(self) -> None:
        """Watch the listener only while somebody can take a connection."""
        if self._deadline is not None:
            return
        watched = self._reception.fileno() in self._on
        if self._reception.can_accept() and not watched:
            self._watch(self._reception.fileno(), self._hand_out)
        elif watched and not self._reception.can_accept():
            self._unwatch(self._reception.fileno())

    def _hand_out(self) -> None:
        """Hear first who became ready and who lost connections: poll names no order."""
        for worker in self._workers.values():
            self._hear(worker)
        self._reception.accept()

    def _start(self, slot: int) -> None:
        ours, theirs = make_line()
        flush_output()
        try:
            pid = os.fork()
        except OSError as exc:
            ours.close()
            theirs.close()
            wait_s = self._restarts.ended(slot, lived_s=0.0)
            self._say(
                "error", "fork-failed", f"{describe(exc)}. Worker {slot} is tried again in {wait_s:g} s."
            )
            return
        if pid == 0:
            self._become(slot, ours, theirs)
        theirs.close()
        worker = Worker(slot=slot, pid=pid, pidfd=os.pidfd_open(pid), line=ours, started=self._clock())
        self._workers[slot] = worker
        self._watch(ours.fileno(), lambda: self._hear(worker))
        self._watch(worker.pidfd, lambda: self._bury(worker))

    def _become(self, slot: int, ours: socket.socket, theirs: socket.socket) -> NoReturn:
        try:
            ours.close()
            self._signals.close()
            self._reception.forget()
            for sibling in self._workers.values():
                sibling.forget()
            self._begin(slot, theirs)
        except BaseException as exc:  # noqa: BLE001 - nothing may return into the host's own code
            self._log(
                {
                    "level": "error",
                    "event": "worker-failed",
                    "message": describe(exc),
                    "traceback": user_traceback(exc),
                }
            )
        finally:
            os._exit(1)

    def _hear(self, worker: Worker) -> None:
        while (received := receive(worker.line)) is not None:
            message, _ = received
            worker.full = False
            if message == READY:
                if not self._served:
                    self._on_first_ready()
                worker.ready = self._served = True
            elif message == CLOSED:
                worker.connections -= 1
            elif message == LEAVING:
                worker.drain()  # so that it knows which connection was its last
            else:  # its end is closed; how it ended, its other descriptor will say
                worker.leaving = True
                self._unwatch(worker.line.fileno())
                return

    def _bury(self, worker: Worker) -> None:
        self._hear(worker)  # poll looks at one descriptor after the other: it may have become ready since
        self._unwatch(worker.pidfd)
        self._unwatch(worker.line.fileno())
        _, status = os.waitpid(worker.pid, 0)
        worker.forget()
        del self._workers[worker.slot]
        code = os.waitstatus_to_exitcode(status)
        how = f"Worker {worker.slot} (pid {worker.pid}) ended: {describe_exit(code)}."
        if self._deadline is not None:
            self._code = self._code or (1 if code else 0)
        elif not self._served:
            self._say("error", "not-started", f"{how} None was ever ready, so the server ends.")
            self._code = 1
            self._drain()
        else:
            wait_s = self._restarts.ended(worker.slot, lived_s=self._clock() - worker.started)
            level = "error" if code else "info"
            self._say(level, "worker-ended", f"{how} The next one starts in {wait_s:g} s.")

    def _obey(self) -> None:
        for number in self._signals.take():
            name = signal.Signals(number).name
            if self._deadline is None:
                self._drain()
                self._say("info", "draining", f"{name}: answering what is in hand, then ending.")
            else:
                self._kill(128 + number)
                self._say("warning", "cut", f"{name} came again: ending at once.")

    def _drain(self) -> None:
        self._unwatch(self._reception.fileno())
        self._reception.close()
        self._deadline = self._clock() + self._drain_s + GRACE_S
        for worker in self._workers.values():
            worker.drain()

    def _kill(self, code: int) -> None:
        self._code = code
        for worker in self._workers.values():
            os.kill(worker.pid, signal.SIGKILL)
        self._deadline = self._clock() + GRACE_S

    def _keep_time(self) -> None:
        if self._deadline is None:
            for slot in self._restarts.take_due():
                self._start(slot)
        elif self._workers and self._clock() >= self._deadline:
            names = ", ".join(str(slot) for slot in self._workers)
            self._say("error", "cut", f"Not ended in time, so killed: worker {names}.")
            self._kill(1)

    def _wait_ms(self) -> float | None:
        """Return how long to wait for events; a millisecond more, because poll may wake that much early."""
        if self._deadline is not None:
            return max(0.0, self._deadline - self._clock()) * 1000 + 1
        waits = [self._restarts.wakes_in_s(), self._reception.resumes_in_s()]
        return min((wait * 1000 + 1 for wait in waits if wait is not None), default=None)

    def _say(self, level: str, event: str, message: str) -> None:
        self._log({"level": level, "event": event, "message": message})
