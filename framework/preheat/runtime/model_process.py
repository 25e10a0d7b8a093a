"""A process with the model inside: what serving frames to a supervisor and serving HTTP have in common.

The main thread belongs to the model: setup, predict and teardown all run there, and a threaded predict
on further threads too, which live from the warm-up to its last call. The event loop, with every socket,
has a thread of its own, so that it answers while predict is busy or stuck.
"""

import _thread
import asyncio
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, NoReturn

from preheat.runtime.confine import time_limit
from preheat.runtime.failures import describe, user_traceback
from preheat.runtime.loader import Model, RunCoroutine
from preheat.runtime.log import log_to_stderr
from preheat.runtime.memory import SETTLED_S, give_back_memory
from preheat.runtime.model_thread import ModelThread

FLUSH_S = 1.0
"""How long the last of what was printed may take: a thread that is stuck in print holds the stream's lock."""


class ModelProcess:
    """The threads of this process. Made on the main thread, which `run` gives to the model."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.model_thread = ModelThread()
        self.loop = loop

    def run(
        self,
        prepare: Callable[[RunCoroutine], Model],
        setup_s: float,
        serve: Callable[[Model], Coroutine[Any, Any, None]],
    ) -> None:
        """Make the model ready by `prepare` within `setup_s`, `serve` it, and make its calls until `finish`.

        Raises PhaseFailed.
        """
        threading.Thread(target=self.loop.run_forever, name="preheat-loop", daemon=True).start()
        with time_limit(setup_s):
            model = prepare(self._run_on_loop)
        self._run_on_loop(serve(model))
        self.loop.call_soon_threadsafe(self.loop.call_later, SETTLED_S, give_back_memory)
        self.model_thread.run(model.contract.threads)

    def finish(self, model: Model) -> None:
        """Let `run` return once the calls made so far, and then the handler's teardown, have ended."""
        self.model_thread.shutdown(last=lambda: tear_down(model))

    def _run_on_loop(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()


def leave(code: int) -> NoReturn:
    """End the process without exit handlers, some of which wait for threads that a fork has lost."""
    flushing = _thread.allocate_lock()
    flushing.acquire()
    try:
        # Not threading.Thread: a signal's handler that comes here may have interrupted one of its locks.
        _thread.start_new_thread(_flush, (flushing,))
        flushing.acquire(timeout=FLUSH_S)
    finally:
        os._exit(code)


def _flush(flushing: _thread.LockType) -> None:
    flush_output()
    flushing.release()


def flush_output() -> None:
    """Write what was printed, where somebody still takes it and the handler has left the streams open."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()


def tear_down(model: Model) -> None:
    """Run the handler's teardown. What it raises is logged: the process ends either way."""
    try:
        model.handler.teardown(model.context)
    except BaseException as exc:  # noqa: BLE001 - the process ends either way, and must end cleanly
        log_to_stderr(
            {
                "level": "error",
                "event": "teardown-failed",
                "message": f"The handler failed in teardown: {describe(exc)}",
                "traceback": user_traceback(exc),
            }
        )
