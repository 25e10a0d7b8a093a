"""The model as an Engine for a platform that sends one request at a time: no event loop, no thread, no queue.

predict runs on the thread that asks. Handing it to another one costs 5 to 50 us, by where the
scheduler puts the two, which is more than all else that is done for a request.
"""

import signal
import time
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from preheat.errors import DeadlineExceeded, RequestError
from preheat.interface.body import decode_body, encode_body
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.attempts import CallFailed, Raised, attempt, batch_outcomes, result_of
from preheat.runtime.called import called
from preheat.runtime.failures import request_error
from preheat.runtime.loader import Model
from preheat.runtime.log import Log, log_to_stderr
from preheat.runtime.sizes import size_of

T = TypeVar("T")

AGAIN_S = 0.05
"""How soon an alarm that nobody heard rings again: Python ignores what is raised inside a `__del__`."""


class Overdue(BaseException):
    """Interrupts a request at its deadline. No Exception, so that a handler's own `except` lets it pass."""


class Alarm(Protocol):
    """Raises Overdue in the calling thread when its time has come, and again once that one is gone.

    While an Overdue is on its way, or kept, it raises no other: neither what cleans up nor `disarm`
    is interrupted by a second one.
    """

    def arm(self, seconds: float) -> None:
        """Raise after `seconds`."""
        ...

    def disarm(self) -> None:
        """Do not raise any more."""
        ...


class SignalAlarm:
    """Raises by SIGALRM, so on the main thread only, and not before a call into C has returned."""

    def __init__(self) -> None:
        self._raised = _none
        signal.signal(signal.SIGALRM, self._ring)

    def arm(self, seconds: float) -> None:
        """Raise after `seconds`."""
        self._raised = _none
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)

    def disarm(self) -> None:
        """Do not raise any more."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, *_: object) -> None:
        if self._raised() is None:
            raise self._overdue()

    def _overdue(self) -> Overdue:
        # Not in `_ring`: its frame belongs to the traceback, and a name there would keep the exception alive.
        late = Overdue()
        self._raised = weakref.ref(late)
        return late


def _none() -> Overdue | None:
    return None


class SerialEngine:
    """Answers with `model`, which is neither async nor a stream; its answers are those of ModelEngine.

    `invoke` waits for nothing, so `settled` may run it.
    """

    ready = True

    def __init__(
        self,
        model: Model,
        alarm: Alarm,
        *,
        memory_mb: int | None = None,
        log: Log = log_to_stderr,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._contract = model.contract
        self._limits = model.limits
        batching = model.contract.batching
        self._size = batching.size if batching else None
        self._predict = _one_of_batch(model.predict) if batching else model.predict
        self._alarm = alarm
        self._memory_mb = memory_mb
        self._log = log
        self._clock = clock

    async def invoke(self, request: Request) -> Response:
        """Answer `request`; see Engine."""
        try:
            return self._answer(request)
        except Exception as exc:  # noqa: BLE001 - the boundary of one request: whatever happens is an answer
            return problem_response(self._error(exc, request.id), request_id=request.id)

    def _answer(self, request: Request) -> Response:
        limit_s = self._limits.timeout_s
        timeout_s = limit_s if request.timeout_s is None else min(request.timeout_s, limit_s)
        try:
            outcome, model_ms = self._within(timeout_s, request)
        except Overdue as late:  # it came while the input was read, or a moment after predict
            self._alarm.disarm()  # what it interrupted may have been just that
            raise self._overrun(request, timeout_s) from late
        if isinstance(outcome, Raised) and isinstance(outcome.error, Overdue):
            raise self._overrun(request, timeout_s)
        content_type, body = encode_body(self._contract.output, result_of(outcome), request.accept)
        return Response(content_type=content_type, body=body, model_ms=model_ms, batch_size=1)

    def _within(self, timeout_s: float, request: Request) -> tuple[Any, float]:
        """Return what predict returns, or Raised, and its ms. Overdue may be raised, or in that Raised."""
        if timeout_s <= 0:
            raise Overdue
        try:
            self._alarm.arm(timeout_s)
            value = self._read(request)
            started = self._clock()
            outcome = attempt(self._predict, value)
            return outcome, (self._clock() - started) * 1000
        finally:
            self._alarm.disarm()

    def _read(self, request: Request) -> Any:
        value = decode_body(self._contract.input, request.body, request.content_type, self._limits)
        if self._size is not None:
            size_of(self._size, value)  # what it raises is an answer wherever requests are batched
        return called(value, request) if self._contract.takes_call else value

    def _overrun(self, request: Request, timeout_s: float) -> DeadlineExceeded:
        limit = f"{timeout_s:.4g} s"
        message = f"No answer within {limit}; reading the input or predict was interrupted."
        self._log(
            {
                "level": "warning",
                "event": "deadline-exceeded",
                "message": message,
                "request_id": request.id,
            }
        )
        return DeadlineExceeded(f"The handler did not answer within {limit}.")

    def _error(self, exc: Exception, request_id: str) -> RequestError:
        cause = exc.error if isinstance(exc, CallFailed) else exc
        return request_error(cause, request_id=request_id, memory_mb=self._memory_mb, log=self._log)


def _one_of_batch(predict: Callable[[list[Any]], Any]) -> Callable[[Any], Any]:
    return lambda value: batch_outcomes(attempt(predict, [value]), 1)[0]


def settled(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError(f"{work} waits for something.")
