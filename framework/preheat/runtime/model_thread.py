"""The threads on which the user's code runs: one, or as many as a threaded predict asks for."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def _nothing() -> None:
    return None


class ModelThread(Executor):
    """Runs calls, in the order in which they came, on the thread that enters `run`.

    The worker gives it the main thread, where setup ran too: libraries that tie their state to a
    thread (OpenMP pools, CUDA contexts, sqlite3) then see one thread only. With more threads calls
    begin in that order, and overlap.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._last: Callable[[], None] = _nothing

    def post(self, call: Callable[[], None]) -> None:
        """Queue a call that raises nothing and answers nobody."""
        self._calls.put(call)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue a call."""
        future: Future[T] = Future()

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as exc:  # noqa: BLE001 - a future carries whatever was raised
                future.set_exception(exc)
            else:
                future.set_result(result)

        self.post(call)
        return future

    def run(self, threads: int = 1) -> None:
        """Run calls until `shutdown`, on this thread and on `threads - 1` new ones that end before it."""
        others = [
            threading.Thread(target=self._work, name=f"preheat-model-{number}", daemon=True)
            for number in range(2, threads + 1)
        ]
        for other in others:
            other.start()
        self._work()
        for other in others:
            other.join()
        self._last()

    def shutdown(
        self,
        wait: bool = True,  # noqa: ARG002
        *,
        cancel_futures: bool = False,  # noqa: ARG002
        last: Callable[[], None] = _nothing,
    ) -> None:
        """Let `run` return once the calls queued so far have ended, and after them `last` on its thread."""
        self._last = last
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
        self._calls.put(None)  # for the next thread
