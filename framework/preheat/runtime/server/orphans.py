"""What process 1 of a container must do: pass signals on, and reap processes that nobody else waits for.

The kernel gives process 1 no default signal actions, the end of a time limit by SIGALRM among them,
and makes it the parent of every orphan. So the server runs as its child.
"""

import os
import signal
from contextlib import suppress

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def leave_process_one() -> None:
    """Return in a child of this process, which itself stays to reap and ends as the child does."""
    # Blocked, so that one that comes before there is a handler waits for it.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    child = os.fork()
    if child == 0:
        os.setsid()  # a terminal's Ctrl-C then reaches the server once, through its parent
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        return
    for number in PASSED_ON:
        signal.signal(number, lambda received, _frame: _pass_on(child, received))
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    os._exit(_reap_until_ended(child))


def _pass_on(child: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, number)


def _reap_until_ended(child: int) -> int:
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
