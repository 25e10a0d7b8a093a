"""Whether a request is sent again, and when. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from preheat.client.exchange import Cause, Failed, Outcome, Repeat

_REFUSED = (429, 503)
"""The endpoint did not take the request."""
_UNCERTAIN = (502, 504)
"""The request may have run."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is sent again, and the back-off (s) where the server names no time."""

    most: int = 4
    first_s: float = 0.25
    longest_s: float = 10.0

    def delay_s(self, outcome: Outcome, repeat: Repeat, done: int, jitter: float) -> float | None:
        """Return how long to wait before sending again, or None when this outcome is final.

        `done` counts the retries so far; `jitter`, from 0 to 1, scales the second half of the back-off.
        A Retry-After is never undercut.
        """
        if done >= self.most or not _again(outcome, repeat):
            return None
        back_off = min(self.longest_s, self.first_s * 2.0**done) * (0.5 + 0.5 * jitter)
        told = None if isinstance(outcome, Failed) else retry_after_s(outcome.headers)
        return back_off if told is None else told


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After. A date counts from the answer's own Date; None where unreadable."""
    told = headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit() and len(told) < 10:
        return float(told)
    try:
        until, sent = parsedate_to_datetime(told), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (until - sent).total_seconds())
    except (ValueError, TypeError):
        return None


def _again(outcome: Outcome, repeat: Repeat) -> bool:
    if isinstance(outcome, Failed):
        return outcome.cause is Cause.CONNECT or (outcome.cause is Cause.BROKEN and repeat is Repeat.SAFE)
    return outcome.status in _REFUSED or (outcome.status in _UNCERTAIN and repeat is Repeat.SAFE)
