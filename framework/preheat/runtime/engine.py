"""The model in this process as an Engine: decode, batch, predict, encode; each request answered once."""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from typing import Any

from preheat.errors import DeadlineExceeded, Overloaded, RequestError, Unavailable
from preheat.interface.body import decode_body, encode_body
from preheat.interface.contract import HandlerContract
from preheat.interface.message import JSON_TYPE, Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.admission import Admission
from preheat.runtime.attempts import CallFailed, attempt, result_of
from preheat.runtime.called import called
from preheat.runtime.calls import Deadlines, LoopThreads, ThreadCalls
from preheat.runtime.dispatch import Outcome
from preheat.runtime.failures import request_error
from preheat.runtime.items import Items, LoopItems, ThreadItems
from preheat.runtime.loader import Model
from preheat.runtime.log import Log, log_to_stderr
from preheat.runtime.model_thread import ModelThread
from preheat.runtime.predicting import way_to_predict
from preheat.runtime.propagation import Traced, handler_traces, trace_of, traced
from preheat.runtime.streams import StreamBody, StreamRules, framing_for

ASIDE_BYTES = 256 * 1024
"""Bodies above this are decoded and encoded on another thread, so that the event loop stays answerable."""


FEWEST_IN_HAND = 32
MOST_IN_HAND = 128


def concurrency_of(contract: HandlerContract, configured: int = 0) -> int:
    """Return how many requests one process takes at once: two batches, 32 if async, else its threads."""
    if configured > 0:
        return configured
    if contract.batching:
        return 2 * contract.batching.max_size
    return 32 if contract.is_async else contract.threads


def queue_for(at_once: int) -> int:
    """Return how many requests to hold where nobody says: four times what predict takes, from 32 to 128.

    Under overload the queue is full, so its bound is how long the accepted requests wait.
    """
    return min(MOST_IN_HAND, max(FEWEST_IN_HAND, 4 * at_once))


class ModelEngine:
    """Answers requests with the model in this process.

    Sync handlers run on `thread`, entered by as many threads as the contract says; async ones on the
    event loop, which must run when this is made. `queue` bounds the requests in hand; 0 derives it.
    `on_stuck` is called when one call of predict, or the decoding of one large body or picture, has
    outlasted the function's whole time limit: nobody waits for it, and nothing can stop it.
    """

    def __init__(
        self,
        model: Model,
        thread: ModelThread,
        *,
        memory_mb: int | None = None,
        queue: int = 0,
        on_stuck: Callable[[], None] = lambda: None,
        log: Log = log_to_stderr,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._memory_mb = memory_mb
        self._log = log
        self._clock = clock
        self._now = asyncio.get_running_loop().time  # looking it up costs a system call each time
        self._in_hand = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False
        self._last_answer_bytes = 0
        self._turn = asyncio.Lock()
        self._background: set[asyncio.Task[None]] = set()
        limit_s = model.limits.timeout_s
        self._calls = ThreadCalls(thread, limit_s=limit_s, on_stuck=on_stuck, clock=clock)
        self._aside = ThreadCalls(LoopThreads(), limit_s=limit_s, on_stuck=on_stuck, clock=clock)
        self._deadlines = Deadlines()
        self._predict = way_to_predict(model, self._calls, clock)
        self._traced = handler_traces()
        self._takes_call = model.contract.takes_call
        self._admission = Admission(clock)
        batching = model.contract.batching
        self._at_once = batching.max_size if batching else concurrency_of(model.contract)
        self._queue = queue or queue_for(self._at_once)
        # A picture of 100 KB may decode to 150 MB: no more of them in hand than the model takes, and one.
        self._pictures = asyncio.Semaphore(self._at_once + 1) if model.contract.input.pictures else None
        self.overruns = 0

    @property
    def ready(self) -> bool:
        """Whether a request sent now would be taken."""
        return not self._draining and self._in_hand < self._queue

    async def drain(self) -> None:
        """Take no more requests, and return when those in hand are answered."""
        self._draining = True
        await self._idle.wait()

    async def invoke(self, request: Request) -> Response:
        """Answer `request`; failures come back as a problem document."""
        if self._draining:
            return problem_response(
                Unavailable("This process is stopping.", retry_after_s=1), request_id=request.id
            )
        if self._in_hand >= min(self._at_once, self._queue):
            try:
                timeout_s = request.timeout_s or math.inf
                self._admission.check(ahead=self._in_hand, room=self._queue, timeout_s=timeout_s)
            except Overloaded as busy:
                return problem_response(busy, request_id=request.id)
            self._admission.throughput.pressed(True)
        self._in_hand += 1
        self._idle.clear()
        response: Response | None = None
        try:
            response = await self._answer(request)
        except Exception as exc:  # noqa: BLE001 - the boundary of one request: whatever happens is an answer
            return problem_response(self._error(exc, request.id), request_id=request.id)
        finally:
            if response is None or response.chunks is None:
                self._release()
        return response

    def _release(self) -> None:
        self._admission.throughput.answered()
        self._in_hand -= 1
        if self._in_hand == self._at_once:
            self._admission.throughput.pressed(False)
        if self._in_hand == 0:
            self._idle.set()

    async def _answer(self, request: Request) -> Response:
        limit_s = self._model.limits.timeout_s
        timeout_s = limit_s if request.timeout_s is None else min(request.timeout_s, limit_s)
        deadline = self._now() + timeout_s
        try:
            if self._pictures is not None:
                return await self._answer_pictures(self._pictures, request, deadline)
            if len(request.body) <= ASIDE_BYTES:
                return await self._run(request, self._read(request), deadline)
            value = await self._decoded(self._aside.call(attempt, self._read, request), deadline)
            return await self._run(request, value, deadline)
        except TimeoutError as exc:
            self.overruns += 1
            limit = f"{timeout_s:.4g} s"
            self._log(
                {
                    "level": "warning",
                    "event": "deadline-exceeded",
                    "message": f"No answer within {limit}; reading the input or predict may go on.",
                    "request_id": request.id,
                }
            )
            raise DeadlineExceeded(f"The handler did not answer within {limit}.") from exc

    def _read(self, request: Request) -> Any:
        model = self._model
        return decode_body(model.contract.input, request.body, request.content_type, model.limits)

    async def _answer_pictures(self, room: asyncio.Semaphore, request: Request, deadline: float) -> Response:
        async with asyncio.timeout_at(deadline):
            await room.acquire()
        decoding = self._aside.call(attempt, self._read, request)

        async def leave() -> None:
            await self._aside.ended(decoding)  # which may be long after its request was answered
            room.release()

        try:
            return await self._run(request, await self._decoded(decoding, deadline), deadline)
        finally:
            self._in_background(leave())

    async def _decoded(self, decoding: asyncio.Future[Any], deadline: float) -> Any:
        self._deadlines.watch(decoding, deadline)
        try:
            return result_of(await decoding)
        finally:
            self._deadlines.forget(decoding)

    async def _run(self, request: Request, value: Any, deadline: float) -> Response:
        if self._takes_call:
            value = called(value, request)
        if self._model.contract.is_stream:
            return await self._stream(request, value, deadline)
        given = Traced(value, request.headers) if self._traced else value
        outcome = await self._predict(given, deadline)
        if self._last_answer_bytes <= ASIDE_BYTES:
            return self._encode(request, outcome)
        return await asyncio.to_thread(self._encode, request, outcome)

    async def _on_model(self, function: Callable[..., Any], *args: Any) -> Any:
        # Nothing can stop the thread: the call outlives a caller who left.
        return await asyncio.shield(self._calls.call(attempt, function, *args))

    def _encode(self, request: Request, outcome: Outcome) -> Response:
        value = result_of(outcome.value)
        content_type, body = encode_body(self._model.contract.output, value, request.accept)
        self._last_answer_bytes = len(body)
        return Response(
            content_type=content_type,
            body=body,
            queue_ms=outcome.queue_ms,
            model_ms=outcome.model_ms,
            batch_size=outcome.batch_size,
        )

    async def _stream(self, request: Request, value: Any, deadline: float) -> Response:
        queued = self._clock()
        if not self._model.contract.is_async:
            async with asyncio.timeout_at(deadline):
                await self._turn.acquire()
        started = self._clock()
        opened: list[Items] = []
        try:
            async with asyncio.timeout_at(deadline):
                opened.append(await self._open(value, request))
                first = await opened[0].next()
        except BaseException as exc:
            abandoning = self._in_background(self._abandon(opened))
            if not isinstance(exc, TimeoutError):  # then nobody waits for the generator to end
                await asyncio.shield(abandoning)
            raise
        rules = StreamRules(
            framing=framing_for(request.accept),
            encode=lambda item: encode_body(self._model.contract.output, item, JSON_TYPE)[1],
            translate=lambda exc: self._error(exc, request.id),
            deadline=deadline,
            request_id=request.id,
            finished=self._end_stream,
        )
        return Response(
            content_type=rules.framing.content_type,
            chunks=StreamBody(opened[0], first, rules),
            queue_ms=(started - queued) * 1000,
            model_ms=(self._clock() - started) * 1000,
            batch_size=1,
        )

    async def _abandon(self, opened: list[Items]) -> None:
        try:
            for items in opened:
                await items.close()
        finally:
            self._pass_turn()

    def _end_stream(self) -> None:
        self._pass_turn()
        self._release()

    def _pass_turn(self) -> None:
        if not self._model.contract.is_async:
            self._turn.release()

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def _open(self, value: Any, request: Request) -> Items:
        trace = (request.headers,)
        if self._model.contract.is_async:
            return LoopItems(result_of(attempt(self._model.predict, value)), lambda: trace_of(trace))

        async def on_model(function: Callable[..., Any], *args: Any) -> Any:
            return await self._on_model(traced(trace, function), *args)

        return ThreadItems(result_of(await on_model(self._model.predict, value)), on_model)

    def _error(self, exc: Exception, request_id: str) -> RequestError:
        cause = exc.error if isinstance(exc, CallFailed) else exc
        return request_error(cause, request_id=request_id, memory_mb=self._memory_mb, log=self._log)
