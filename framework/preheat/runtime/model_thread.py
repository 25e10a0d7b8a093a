"""The one thread on which the user's code runs."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class ModelThread(Executor):
    """Runs calls one after another on the thread that enters `run`.

    The worker gives it the main thread, where setup ran too: libraries that tie their state to a
    thread (OpenMP pools, CUDA contexts, sqlite3) then see one thread only.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

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

    def run(self) -> None:
        """Run calls until `shutdown`; those queued before it still run."""
        while (call := self._calls.get()) is not None:
            call()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Let `run` return after the calls queued so far."""
        self._calls.put(None)
