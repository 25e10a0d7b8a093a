"""Arrivals as data."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from preheat.errors import PreheatError

Floats = NDArray[np.float64]

GAP_SHARE = 0.1
"""A silence of this share of the whole is worth a word."""
SHORT_S = 24 * 3600.0
MOST = 50_000_000
"""How many arrivals are replayed at most; a gigabyte of them."""
LONGEST_DAYS = 3650
"""A longer trace has a moment that is wrong, such as 0."""


class TraceError(PreheatError):
    """A trace cannot be read, or says too little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """`arrivals` are sorted seconds after `start` (seconds since the epoch).

    `services_s` has what each request took where the trace says so. `notes` say what was done to it.
    """

    start: float
    arrivals: Floats
    services_s: Floats | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def duration_s(self) -> float:
        """How long the trace is: from the first arrival to one mean gap after the last."""
        count = len(self.arrivals)
        return float(self.arrivals[-1]) * count / (count - 1)


def trace_of(
    moments: "array[float] | Floats",
    services_s: "array[float] | None" = None,
    *,
    source: str,
    notes: Sequence[str] = (),
) -> Trace:
    """Return `moments` (seconds since the epoch, in any order) as a trace. Raises TraceError below two.

    A NaN among `services_s` says nothing of its request: it counts with the median of the others.
    """
    times = np.asarray(moments, dtype=np.float64)
    if len(times) < 2 or times.min() == times.max():
        found = "no request" if not len(times) else "one request" if len(times) == 1 else "one moment only"
        raise TraceError(
            f"{source} has {found}; a plan needs arrivals at two moments at least.",
            hint='preheat warm plan --rate "20/h" --bursty --cold-ms 900  # without a trace',
        )
    said = list(notes)
    took = None if services_s is None else _filled(np.asarray(services_s, dtype=np.float64), said)
    late = int(np.count_nonzero(np.diff(times) < 0))
    if late:
        said.append(f"{late} of {len(times)} arrivals came before the line above them; all were sorted.")
        order = np.argsort(times, kind="stable")
        times = times[order]
        took = None if took is None else took[order]
    start = float(times[0])
    _refuse_ages(start, float(times[-1]), source)
    trace = Trace(start=start, arrivals=times - start, services_s=took)
    said += _remarks(trace)
    return Trace(start=start, arrivals=trace.arrivals, services_s=took, notes=tuple(said))


def _filled(took: Floats, said: list[str]) -> Floats:
    """Return `took` with the median in place of each NaN, and say so."""
    untold = np.isnan(took)
    if not untold.any():
        return took
    middle_s = float(np.nanmedian(took))
    count = np.count_nonzero(untold)
    said.append(
        f"{count} of {len(took)} requests do not say what they took: {middle_s * 1000:g} ms each, the median "
        "of the others."
    )
    filled: Floats = np.where(untold, middle_s, took)
    return filled


def _refuse_ages(first: float, last: float, source: str) -> None:
    days = (last - first) / 86400
    if days > LONGEST_DAYS:
        since, until = (datetime.fromtimestamp(each, UTC) for each in (first, last))
        raise TraceError(
            f"{source} goes from {since:%Y-%m-%d} to {until:%Y-%m-%d}: {days:,.0f} days, and "
            f"{LONGEST_DAYS:,} are the most that is replayed.",
            hint="Take out what is wrong, such as a moment of 0, or give a higher --rate.",
        )


def _remarks(trace: Trace) -> list[str]:
    gaps = np.diff(trace.arrivals)
    longest = int(gaps.argmax())
    remarks = []
    if gaps[longest] > GAP_SHARE * trace.duration_s and len(gaps) > 100:
        since = datetime.fromtimestamp(trace.start + float(trace.arrivals[longest]), UTC)
        hours = gaps[longest] / 3600
        remarks.append(
            f"For {hours:.1f} h after {since:%Y-%m-%d %H:%M} UTC nothing came: it counts as silence."
        )
    if trace.duration_s < SHORT_S:
        hours = trace.duration_s / 3600
        remarks.append(f"The trace is {hours:.2g} h long: what it costs in a month is as rough as that.")
    return remarks
