"""The thread of a handler's code, from setup to teardown: Modal's main thread has the event loop. Ships."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

from preheat.runtime.loader import Model
from preheat.runtime.model_thread import ModelThread

P = ParamSpec("P")
T = TypeVar("T")


class Home:
    """One thread that first takes the steps of a start, and then the calls of an engine.

    It is a daemon: a container whose predict is stuck must still be able to end.
    """

    def __init__(self) -> None:
        self.thread = ModelThread()
        self._steps = ModelThread()
        self._threads = 1
        threading.Thread(target=self._live, name="preheat-model", daemon=True).start()

    def run(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `step` of the start returns there, or raise what it raises."""
        return self._steps.submit(step, *args, **kwargs).result()

    async def finish(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Take the last step while the running event loop goes on."""
        return await asyncio.wrap_future(self._steps.submit(step, *args, **kwargs))

    def serve(self, threads: int) -> None:
        """Let the calls that are posted to `thread` run, on as many threads."""
        self._threads = threads
        self._steps.shutdown()

    async def leave(self, model: Model, within_s: float) -> bool:
        """Run teardown after the calls made so far; say whether both have ended within the time."""
        ended: Future[None] = Future()
        ended.set_running_or_notify_cancel()  # nobody who stops waiting can cancel it

        def last() -> None:
            from preheat.runtime.model_process import tear_down  # no start has to wait for it

            tear_down(model)
            ended.set_result(None)

        self.thread.shutdown(last=last)
        try:
            async with asyncio.timeout(within_s):
                await asyncio.wrap_future(ended)
        except TimeoutError:
            return False
        return True

    def _live(self) -> None:
        self._steps.run()
        self.thread.run(self._threads)
