"""What a value says of itself: its kind, and a digest by which two runs of setup are compared.

It runs beside the user's code and imports the standard library alone.
"""

import datetime
import hashlib
import random
import re
import uuid
from dataclasses import dataclass
from typing import Any

MOST_ENTRIES = 1000
"""Of one container: what follows is more of the same."""
LEAST_TELLING = 4
"""Shorter texts and arrays, and numbers of fewer digits, are no ids."""
FIRST_NUMBERS = 1024
"""Of an array: if they are not random, the others are not."""
ADDRESSES = range(1 << 32, 1 << 47)
"""As the heap has them: an array with such words was made and never filled, and so says nothing."""
UUID_TEXT = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)

Window = tuple[tuple[float, float], tuple[float, float]]
"""When setup began and ended, each by the wall clock and the monotonic one, in seconds."""


@dataclass(frozen=True, slots=True)
class Value:
    """Something at `path` that is a value, see `is_value`."""

    path: str
    value: Any

    def document(self, window: Window) -> dict[str, str]:
        """Return what kind it is, and a digest of it."""
        return {"kind": kind_of(self.value, window), "digest": hashlib.sha256(_told(self.value)).hexdigest()}


def is_value(value: object) -> bool:
    """Say whether it is plain, a set of what is, a generator of random numbers, or an array of numbers."""
    if isinstance(value, set | frozenset):
        return len(value) <= MOST_ENTRIES and all(is_plain(each) for each in value)
    return is_plain(value) or state_of(value) is not None or numbers_of(value) is not None


def is_plain(value: object) -> bool:
    """Say whether it is a text, bytes, a number, an id, or a time."""
    simple = (
        str | bytes | bytearray | int | float | uuid.UUID | datetime.date | datetime.time | datetime.timedelta
    )
    return isinstance(value, simple) and not isinstance(value, bool)


def state_of(value: object) -> object:
    """Return the state of a random number generator, or None for anything else."""
    if isinstance(value, random.Random) and not isinstance(value, random.SystemRandom):
        return value.getstate()
    kind = type(value)
    name = f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
    thing: Any = value
    if name == "numpy.Generator":
        return repr(thing.bit_generator.state)
    if name == "numpy.RandomState":
        return repr(thing.get_state(legacy=False))
    if name == "torch.Generator":
        return bytes(thing.get_state().tolist())
    return None


def numbers_of(value: object) -> bytes | None:
    """Return the first numbers of a NumPy array; None for anything else, and for one never filled."""
    thing: Any = value
    package = type(value).__module__.partition(".")[0]
    if package != "numpy" or not hasattr(type(value), "tobytes") or thing.dtype.hasobject:
        return None
    numbers: bytes = thing.flat[:FIRST_NUMBERS].tobytes()
    words = memoryview(numbers[: len(numbers) // 8 * 8]).cast("Q")
    return None if any(word in ADDRESSES for word in words) else numbers


def kind_of(value: Any, window: Window) -> str:
    """Return `clock`, `day`, `id`, `generator` or `value`; `small` is too little to tell anything."""
    if isinstance(value, set | frozenset):
        return "small" if all(kind_of(each, window) == "small" for each in value) else "value"
    if isinstance(value, datetime.date | int | float):
        return _of_time(value, window)
    if isinstance(value, uuid.UUID) or (isinstance(value, str) and UUID_TEXT.fullmatch(value)):
        return "id"
    if isinstance(value, str | bytes | bytearray):
        return "value" if len(value) >= LEAST_TELLING else "small"
    if state_of(value) is not None:
        return "generator"
    few = numbers_of(value) is not None and value.dtype.kind in "biu" and value.size < LEAST_TELLING
    return "small" if few else "value"


def _of_time(value: datetime.date | float, window: Window) -> str:
    (wall, ticks), (wall_after, ticks_after) = window
    try:
        if isinstance(value, datetime.datetime):
            return "clock" if wall - 1 <= value.timestamp() <= wall_after + 1 else "value"
        if isinstance(value, datetime.date):
            zones = (None, datetime.UTC)
            days = {datetime.datetime.fromtimestamp(wall_after, zone).date() for zone in zones}
            return "day" if value in days else "value"
        seconds = float(value)
    except (OverflowError, ValueError):  # the year 1, and 2 ** 2048, are no times of any clock
        return "value"
    for scale in (1, 1e3, 1e6, 1e9):
        if wall - 1 <= seconds / scale <= wall_after + 1 or ticks <= seconds / scale <= ticks_after:
            return "clock"
    return "small" if isinstance(value, int) and abs(value) < 10**LEAST_TELLING else "value"


def _told(value: Any) -> bytes:
    """Return what the digest is made of."""
    if isinstance(value, set | frozenset):
        return b"\n".join(sorted(_told(each) for each in value))  # a set has no order
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, int):
        return hex(value).encode()  # Python refuses thousands of decimals
    if (numbers := numbers_of(value)) is not None:
        return f"{value.dtype.str} {value.shape} ".encode() + numbers
    state = state_of(value)
    return repr(value if state is None else state).encode("utf-8", "backslashreplace")
