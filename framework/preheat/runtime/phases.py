"""The steps of a start, each timed, and what is said where one fails."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from preheat.errors import HandlerError

PhaseName = Literal["import", "setup", "restore", "warm-up", "examples", "teardown"]


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of a start and how long it took."""

    name: str
    ms: float


class PhaseFailed(HandlerError):
    """The user's code failed in `phase`; `traceback` is for the log, without frames of ours."""

    def __init__(self, phase: str, exc: BaseException) -> None:
        from preheat.runtime.failures import describe, user_traceback  # 1 ms, which only failures pay

        known = exc if isinstance(exc, HandlerError) else None
        message = known.message if known else f"The handler failed in {phase}: {describe(exc)}"
        super().__init__(message, hint=known.hint if known else None)
        self.phase = phase
        self.traceback = user_traceback(exc)


class PhaseClock:
    """Times the phases of one start with `now`, a clock in seconds that never goes back."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._spent_s: dict[str, float] = {}

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases that have ended well, in the order in which they began first."""
        return tuple(Phase(name, spent_s * 1000) for name, spent_s in self._spent_s.items())

    @contextmanager
    def phase(self, name: PhaseName) -> Iterator[None]:
        """Time the block as `name`. Whatever it raises comes out as PhaseFailed."""
        started = self._now()
        try:
            yield
        except PhaseFailed:
            raise
        except BaseException as exc:
            # The user's code may raise anything here, SystemExit too, and the cause must reach the log.
            raise PhaseFailed(name, exc) from exc
        self._spent_s[name] = self._spent_s.get(name, 0.0) + self._now() - started
