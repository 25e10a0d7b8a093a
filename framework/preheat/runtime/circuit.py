"""Stops asking a model that only fails. In: how calls ended. Out: whether the next one may go through.

The rule. A failure is a 500 or a 502: predict raised, or the process died. It opens the circuit when
FAILURES different inputs have failed in a row and nothing has succeeded for QUIET_S. So one caller's
poison opens nothing: sent again and again it is one input, and among good requests of others some
succeed. While open every request is refused; after a back-off that doubles from FIRST_S to LONGEST_S
one goes through as a probe, and any success closes the circuit again.

Neither good nor bad is every other status: 4xx is the caller's doing, 429 and 503 mean that predict
was not reached, and a 504 tells of a short time limit or of load, which refusing would turn into an
outage. A stream counts as good with its first item.
"""

import time
from collections.abc import Callable

from preheat.errors import HandlerFailed, Unavailable, WorkerDied
from preheat.interface.message import Engine, Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.log import Log

FAILURES = 5
QUIET_S = 5.0
FIRST_S = 1.0
LONGEST_S = 60.0
PROBING_S = 1.0
"""When to come back while a probe is on its way."""

_BAD = frozenset({HandlerFailed.status, WorkerDied.status})


class Circuit:
    """The rule as data. `clock` gives seconds and never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: set[int] = set()
        self._succeeded_at = float("-inf")
        self.openings = 0
        self._until = 0.0
        self._probing = False

    @property
    def open(self) -> bool:
        """Whether the model counts as failing, until a success: it opened `openings` times in a row."""
        return self.openings > 0

    @property
    def refused_s(self) -> float:
        """How long a request sent now would be refused: 0 when it would go through."""
        if not self.open:
            return 0.0
        left_s = self._until - self._clock()
        return left_s if left_s > 0 else PROBING_S * self._probing

    def enter(self) -> bool:
        """Let a request through, which `refused_s` allows; return whether it is the probe."""
        self._probing = self.open
        return self._probing

    def succeeded(self) -> None:
        """Close: also a call from before the opening shows that the model works."""
        self._succeeded_at = self._clock()
        self._failed.clear()
        self.openings = 0
        self._probing = False

    def failed(self, what: int, *, probe: bool) -> None:
        """Take a failure of the input with the hash `what` into account."""
        if self.open:
            if probe:
                self._open()
            return  # a late failure of a call from before says nothing new
        if len(self._failed) < FAILURES:
            self._failed.add(what)
        if len(self._failed) >= FAILURES and self._clock() - self._succeeded_at >= QUIET_S:
            self._open()

    def abandoned(self, *, probe: bool) -> None:
        """Take into account that a call told nothing; after a probe the next request is one."""
        if probe:
            self._probing = False

    def _open(self) -> None:
        self._probing = False
        self._failed.clear()
        self._until = self._clock() + min(LONGEST_S, FIRST_S * 2.0 ** min(self.openings, 30))
        self.openings += 1


class Breaker:
    """An engine that refuses with 503 while the circuit over `engine` is open."""

    def __init__(self, engine: Engine, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._log = log
        self._circuit = Circuit(clock)

    @property
    def open(self) -> bool:
        """Whether the model counts as failing."""
        return self._circuit.open

    @property
    def ready(self) -> bool:
        """Whether a request sent now would be taken; a probe is, or nothing would ever close the circuit."""
        return self._circuit.refused_s == 0 and self._engine.ready

    async def invoke(self, request: Request) -> Response:
        """Answer `request`; see Engine."""
        refused_s = self._circuit.refused_s
        if refused_s:
            error = Unavailable("The handler fails again and again.", retry_after_s=refused_s)
            return problem_response(error, request_id=request.id)
        probe = self._circuit.enter()
        status = None
        try:
            response = await self._engine.invoke(request)
            status = response.status
        finally:
            self._judge(request, status, probe=probe)
        return response

    def _judge(self, request: Request, status: int | None, *, probe: bool) -> None:
        before = self._circuit.openings
        if status is not None and status < 400:
            self._circuit.succeeded()
        elif status in _BAD:
            self._circuit.failed(hash((request.content_type, request.body)), probe=probe)
        else:
            self._circuit.abandoned(probe=probe)
        if self._circuit.openings != before:
            self._say(request.id)

    def _say(self, request_id: str) -> None:
        if self._circuit.open:
            level, event = "error", "circuit-open"
            message = f"the handler fails again and again: refusing for {self._circuit.refused_s:.3g} s"
        else:
            level, event, message = "info", "circuit-closed", "the handler answers again"
        self._log({"level": level, "event": event, "message": message, "request_id": request_id})
