"""Which answers are tried again, and when. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["succeeded", "failed", "again", "busy"]


def verdict(status: int) -> Verdict:
    """Judge an HTTP status: `again` counts as a failed attempt, `busy` means that nothing was tried."""
    if status < 400:
        return "succeeded"
    if status == 429:
        return "busy"
    return "again" if status >= 500 else "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Exponential back-off: half of the delay is fixed and half is random, so that failures spread out."""

    base_s: float = 1.0
    cap_s: float = 60.0

    def delay_s(self, failures: int, random: Callable[[], float]) -> float:
        """Return the seconds to wait after the `failures`-th failure, counted from 1."""
        full = min(self.cap_s, self.base_s * 2.0 ** min(failures - 1, 30))
        return full * (0.5 + 0.5 * random())
