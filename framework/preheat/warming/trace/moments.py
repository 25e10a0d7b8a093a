"""Moments as text or numbers to seconds since the epoch. Touches nothing."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from math import inf

COMMON = "%d/%b/%Y:%H:%M:%S %z"
"""As the Common Log Format has it."""
LATEST_S = 1e11
"""The year 5138: a larger number counts milliseconds, microseconds or nanoseconds."""
NUMBER = re.compile(r"\d+(\.\d*)?([eE][+-]?\d+)?")


@dataclass(slots=True)
class Moments:
    """Reads moments. Those that name no time zone are in `zone`, and `naive` says whether there were any."""

    zone: tzinfo
    naive: bool = False

    def read(self, value: str | float) -> float:
        """Return seconds since the epoch. Raises ValueError.

        ISO 8601, numbers of seconds, milliseconds, microseconds or nanoseconds since the epoch, and the form
        of access logs.
        """
        if not isinstance(value, str):
            return read_epoch(value)
        text = value.strip()
        if NUMBER.fullmatch(text):
            return read_epoch(float(text))
        bare = text.removesuffix(" UTC")
        try:
            moment = datetime.fromisoformat(bare)
        except ValueError:
            moment = datetime.strptime(text, COMMON)
        if moment.tzinfo is None:
            self.naive = self.naive or bare == text
            moment = moment.replace(tzinfo=self.zone if bare == text else UTC)
        return moment.timestamp()


def read_epoch(number: float) -> float:
    """Return a number since the epoch as seconds, by its size. Raises ValueError."""
    if not 0 <= number < inf:
        raise ValueError(f"{number} is no time since the epoch")
    while number >= LATEST_S:
        number /= 1000
    return number
