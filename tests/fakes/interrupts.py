"""Ctrl-C as in a terminal, however the tests were started.

A shell without job control has what it starts in the background ignore SIGINT
(https://www.gnu.org/software/bash/manual/html_node/Signals.html), which every process that is started
from there inherits, and for which Python then installs no handler.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_heard() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt in this process, and its children start as from a terminal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
