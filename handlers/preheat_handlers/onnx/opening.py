"""A session that is made on a thread while Python imports and sets up the rest; making one frees the GIL.

onnxruntime itself is imported where `opening` is called: two imports at a time only wait for each other.
"""

import os
import threading
from typing import TYPE_CHECKING, Any

from preheat.errors import HandlerError
from preheat.interface.handler import Context
from preheat.interface.starting import START, Start

if TYPE_CHECKING:
    from preheat_handlers.onnx.session import Session


class Opening:
    """The session of the weights `weights`, begun where a start is under way. `how` is for open_session."""

    def __init__(self, weights: str, *, start: Start = START, **how: Any) -> None:
        self._weights = weights
        self._how = how
        self._session: Session | None = None
        self._error: Exception | None = None
        self._thread = self._begun(start.context) if start.context is not None else None

    def session(self, ctx: Context) -> "Session":
        """Return the session, once it is there. Raises HandlerError as open_session does."""
        if self._thread is None:
            self._thread = self._begun(ctx)
        _join(self._thread)
        if self._error is not None:
            raise self._error
        assert self._session is not None
        return self._session

    def _begun(self, ctx: Context) -> threading.Thread:
        from preheat_handlers.onnx.session import import_onnxruntime

        import_onnxruntime()
        # No daemon: an interpreter that ends in the middle of onnxruntime's work is aborted by C++.
        thread = threading.Thread(target=self._open, args=(ctx,), name="preheat-opening")
        thread.start()
        return thread

    def _open(self, ctx: Context) -> None:
        from preheat_handlers.onnx.session import open_session

        try:
            if self._weights not in ctx.weights:
                raise HandlerError(
                    f"There are no weights {self._weights!r}; there are {', '.join(ctx.weights) or 'none'}.",
                    hint=f'[weights.{self._weights}]\nsource = "file:model.onnx"',
                )
            self._session = open_session(ctx.weights[self._weights], cpus=ctx.cpus, **self._how)
        except Exception as exc:  # noqa: BLE001 - carried to the thread that asks for the session
            self._error = exc


def _join(thread: threading.Thread) -> None:
    """Wait until `thread` is gone for the system too: a process that has one more cannot be forked."""
    thread.join()
    while os.path.exists(f"/proc/self/task/{thread.native_id}"):  # noqa: PTH110 - pathlib may not be imported
        os.sched_yield()


def opening(weights: str = "model", *, answer_first: bool = False, tolerance: float = 0.0) -> Opening:
    """Begin to open the session of the weights called `weights`; in setup, `.session(ctx)` is it.

    At the top of a module it runs beside the imports below it, in a class beside what setup does before it
    asks. Several run beside each other. Outside a start, such as in a test, it begins when asked.
    """
    return Opening(weights, answer_first=answer_first, tolerance=tolerance)
