"""Where the programs `preheat` and `deploy` begin: what is interrupted while it still imports ends quietly.

Imports next to nothing itself, and says nothing: nothing has begun.
"""

import signal
from types import FrameType
from typing import NoReturn

INTERRUPTED, TERMINATED = 130, 143
"""128 and the number of SIGINT or SIGTERM, as shells have it."""


class Terminated(KeyboardInterrupt):
    """SIGTERM came, upon which a command tidies up as it does when interrupted."""


def preheat() -> int:
    """Run `preheat` and return its exit code."""
    try:
        signal.signal(signal.SIGTERM, _terminate)
        from preheat.cli.main import main

        return main()
    except KeyboardInterrupt as interrupt:
        return exit_code(interrupt)


def deploy() -> int:
    """Run `deploy`, which is `preheat deploy`, and return its exit code."""
    try:
        signal.signal(signal.SIGTERM, _terminate)
        from preheat.cli.main import deploy_main

        return deploy_main()
    except KeyboardInterrupt as interrupt:
        return exit_code(interrupt)


def exit_code(interrupt: BaseException | None) -> int:
    """Return the exit code of a command that `interrupt` ended."""
    return TERMINATED if isinstance(interrupt, Terminated) else INTERRUPTED


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated
