"""The model as an Engine for a platform that sends one request at a time: no event loop, no queue.

The caller waits on its own thread while the model runs on its one. That costs 13 us a request, and
is what lets a 504 leave in time although nothing can stop predict.
"""

import time
from _thread import allocate_lock
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from preheat.errors import DeadlineExceeded, RequestError
from preheat.interface.body import decode_body, encode_body
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.attempts import CallFailed, attempt, batch_outcomes, result_of
from preheat.runtime.failures import request_error
from preheat.runtime.loader import Model
from preheat.runtime.log import Log, log_to_stderr
from preheat.runtime.model_thread import ModelThread
from preheat.runtime.sizes import size_of

T = TypeVar("T")


class SerialEngine:
    """Answers with `model`, which is neither async nor a stream, on `thread`; its answers are ModelEngine's.

    `invoke` never waits on an event loop, so `settled` may run it. `on_stuck` is called when a
    request had no turn within its time because an earlier call, whose caller got a 504, still runs.
    """

    ready = True

    def __init__(
        self,
        model: Model,
        thread: ModelThread,
        *,
        memory_mb: int | None = None,
        on_stuck: Callable[[], None] = lambda: None,
        log: Log = log_to_stderr,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._contract = model.contract
        self._limits = model.limits
        self._size = model.contract.batching.size if model.contract.batching else None
        self._predict = _one_of_batch(model.predict) if model.contract.batching else model.predict
        self._thread = thread
        self._memory_mb = memory_mb
        self._on_stuck = on_stuck
        self._log = log
        self._clock = clock
        self._overdue: _Call | None = None

    async def invoke(self, request: Request) -> Response:
        """Answer `request`; see Engine."""
        try:
            return self._answer(request)
        except Exception as exc:  # noqa: BLE001 - the boundary of one request: whatever happens is an answer
            return problem_response(self._error(exc, request.id), request_id=request.id)

    def _answer(self, request: Request) -> Response:
        contract, limit_s = self._contract, self._limits.timeout_s
        timeout_s = limit_s if request.timeout_s is None else min(request.timeout_s, limit_s)
        deadline = self._clock() + timeout_s
        value = decode_body(contract.input, request.body, request.content_type, self._limits)
        if self._size is not None:
            size_of(self._size, value)  # what it raises is an answer wherever requests are batched
        call = _Call(self._predict, value, self._clock)
        self._thread.post(call.run)
        if not call.wait(deadline):
            self._overrun(call, request, timeout_s)
        content_type, body = encode_body(contract.output, result_of(call.result), request.accept)
        return Response(
            content_type=content_type,
            body=body,
            queue_ms=(call.started - call.queued) * 1000,
            model_ms=(call.ended - call.started) * 1000,
            batch_size=1,
        )

    def _overrun(self, call: "_Call", request: Request, timeout_s: float) -> None:
        self._log(
            {
                "level": "warning",
                "event": "deadline-exceeded",
                "message": f"No answer within {timeout_s:g} s; predict may still be running.",
                "request_id": request.id,
            }
        )
        if call.started:
            self._overdue = call
        elif self._overdue is not None and not self._overdue.ended:
            self._on_stuck()
        raise DeadlineExceeded(f"The handler did not answer within {timeout_s:g} s.")

    def _error(self, exc: Exception, request_id: str) -> RequestError:
        cause = exc.error if isinstance(exc, CallFailed) else exc
        return request_error(cause, request_id=request_id, memory_mb=self._memory_mb, log=self._log)


class _Call:
    """One call of predict on the model's thread, and the lock that its end releases."""

    __slots__ = ("_clock", "_done", "_left", "_predict", "_value", "ended", "queued", "result", "started")

    def __init__(self, predict: Callable[[Any], Any], value: Any, clock: Callable[[], float]) -> None:
        self._predict = predict
        self._value = value
        self._clock = clock
        self._done = allocate_lock()
        self._done.acquire()
        self._left = False
        self.result: Any = None
        self.started = self.ended = 0.0
        self.queued = clock()

    def run(self) -> None:
        if self._left:
            return
        self.started = self._clock()
        self.result = attempt(self._predict, self._value)
        self.ended = self._clock()
        self._done.release()

    def wait(self, deadline: float) -> bool:
        """Return whether it ended before `deadline`; if not, it does not begin any more."""
        done = self._done.acquire(timeout=max(0.0, deadline - self._clock()))
        self._left = not done
        return done


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
