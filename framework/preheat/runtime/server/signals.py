"""Signals as something to wait for: noticed at once, whatever the main thread is doing."""

import signal
import socket
import time
from collections.abc import Callable
from types import FrameType

STOPPING = (signal.SIGTERM, signal.SIGINT)
REPEATED_S = 0.25
"""What runs a command (timeout, a task runner) may pass on a signal that the terminal sent to all."""


class Signals:
    """From `catch` on, SIGTERM and SIGINT make `fileno` readable, and `take` returns them.

    Python runs a handler between two steps of the main thread, which may be in C code for minutes;
    the byte to the wake-up descriptor is written by the kernel's own call (signal.set_wakeup_fd).
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[int, float] = {}
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)

    def catch(self, *, ignored: tuple[signal.Signals, ...] = ()) -> None:
        """Begin; only the main thread may."""
        signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN if number in ignored else _nothing)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._read.fileno()

    def take(self) -> list[int]:
        """Return those that have come since the last call; one that is repeated at once counts once."""
        try:
            received = self._read.recv(64)
        except BlockingIOError:
            return []
        return [number for number in received if number in STOPPING and not self._repeated(number)]

    def _repeated(self, number: int) -> bool:
        now = self._clock()
        last, self._last[number] = self._last.get(number), now
        return last is not None and now - last < REPEATED_S

    def close(self) -> None:
        """Forget this pair: a forked child has its own."""
        signal.set_wakeup_fd(-1)
        self._read.close()
        self._write.close()


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Take the place of the default action."""
