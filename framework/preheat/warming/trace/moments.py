"""One moment as text or a number to seconds since the epoch. Pure."""

import re
from datetime import datetime, tzinfo
from math import inf

COMMON = "%d/%b/%Y:%H:%M:%S %z"
"""As the Common Log Format has it."""
LATEST_S = 1e11
"""The year 5138: a larger number counts milliseconds, microseconds or nanoseconds."""
NUMBER = re.compile(r"\d+(\.\d*)?([eE][+-]?\d+)?")


def read_moment(text: str, zone: tzinfo) -> float:
    """Return seconds since the epoch; what names no zone is in `zone`. Raises ValueError.

    ISO 8601, numbers of seconds, milliseconds, microseconds or nanoseconds since the epoch, and the form of
    access logs.
    """
    text = text.strip()
    if NUMBER.fullmatch(text):
        return read_epoch(float(text))
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        moment = datetime.strptime(text, COMMON)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()


def read_epoch(number: float) -> float:
    """Return a number since the epoch as seconds, by its size. Raises ValueError."""
    if not 0 <= number < inf:
        raise ValueError(f"{number} is no time since the epoch")
    while number >= LATEST_S:
        number /= 1000
    return number
