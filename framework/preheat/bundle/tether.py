"""What keeps a process that runs the user's code from outliving this one, however this one ends.

The process holds the reading end of a pipe whose writing end this process alone has. Once that is closed, by
us or by our death, the kernel kills the process and what it started (F_SETSIG and O_ASYNC in fcntl(2)). The
program that runs there has no part in it.
"""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tether:
    """`end` is the descriptor for the process to inherit."""

    end: int

    def tie(self, leader: int) -> None:
        """Tie to it the process group that `leader` leads, which has inherited `end`; on Linux alone."""
        if not hasattr(fcntl, "F_SETSIG"):  # macOS has none
            return
        fcntl.fcntl(self.end, fcntl.F_SETOWN, -leader)
        fcntl.fcntl(self.end, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(self.end, fcntl.F_SETFL, os.O_ASYNC)


@contextmanager
def tether() -> Iterator[Tether]:
    """Have what is tied end with the block or with this process, whichever ends first."""
    end, ours = os.pipe()
    try:
        yield Tether(end)
    finally:
        os.close(end)
        os.close(ours)
