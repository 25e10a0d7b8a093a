"""A file of arrivals, line by line, to a Trace. Reads one file; 10 million lines take 80 MB, and twice that
where they say what each request took.

    csv          a column of moments; a column of counts makes each row a period (CloudWatch metrics)
    JSON lines   our access log; exported log events with a `timestamp`
    JSON         what `aws cloudwatch get-metric-statistics` and `get-metric-data`, and `aws logs
                 filter-log-events` print
    access log   Common and Combined Log Format

A table of log events is read as a log. A row of a table that cannot be read is an error; a line of a log that
is no request is left out and counted.
"""

import gzip
import json
import zlib
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from itertools import chain, repeat
from math import nan
from pathlib import Path
from typing import IO, Any

from preheat.warming.trace import logs, metrics, table
from preheat.warming.trace.model import MOST, Trace, TraceError, trace_of
from preheat.warming.trace.moments import Moments


@dataclass
class Found:
    """What was read so far. `services_s` is empty where no request says what it took; a NaN says nothing."""

    most: int
    moments: Moments
    times: "array[float]" = field(default_factory=lambda: array("d"))
    services_s: "array[float]" = field(default_factory=lambda: array("d"))
    skipped: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, moment: float, service_s: float | None) -> None:
        """Keep one request. Raises TraceError above `most`."""
        if len(self.times) == self.most:
            raise TraceError(
                f"The trace has more than {self.most:,} requests, which are the most that is replayed.",
                hint="head -n 10000000 FILE > part.csv  # or a few days of it",
            )
        if service_s is not None and not self.services_s:
            self.services_s.extend(repeat(nan, len(self.times)))
        self.times.append(moment)
        if service_s is not None or self.services_s:
            self.services_s.append(nan if service_s is None else service_s)

    def forget(self) -> None:
        """Count what was kept so far as lines that are no requests."""
        self.skipped += len(self.times)
        del self.times[:], self.services_s[:]


def read_trace(
    file: Path, *, column: str | None = None, zone: tzinfo = UTC, seed: int = 0, most: int = MOST
) -> Trace:
    """Read `file` (gzip by its suffix). Raises TraceError, also for more than `most` requests.

    `column` is the one of the moments; moments without a zone are in `zone`. Counts are spread at random over
    their period, by `seed`.
    """
    found = Found(most, Moments(zone))
    with _opened(file) as lines:
        first = next((line for line in lines if line.strip()), None)
        if first is None:
            raise TraceError(
                f"{file.name} is empty.", hint="It needs a line for each request, with its moment."
            )
        if "\0" in first or "\ufffd" in first:
            raise TraceError(
                f"{file.name} is no text in UTF-8.", hint=f"iconv -t UTF-8 {file.name} > utf8.csv"
            )
        if first.lstrip().startswith(("{", "[")):
            _read_json(first, lines, file, found, seed)
        elif logs.is_common(first):
            _keep(logs.common(chain([first], lines), found.moments), found)
        else:
            _read_table(chain([first], lines), file, column, found, seed)
    if found.skipped:
        found.notes.append(f"{found.skipped} lines of {file.name} are no requests; they were left out.")
    if found.moments.naive:
        found.notes.append(f"The moments name no time zone; they were read as {zone}.")
    return trace_of(found.times, found.services_s or None, source=file.name, notes=found.notes)


def _read_json(first: str, rest: Iterator[str], file: Path, found: Found, seed: int) -> None:
    try:
        document = json.loads(first)
    except (ValueError, RecursionError):  # a document of several lines
        document = _whole(first + "".join(rest), file)
    else:
        second = next((line for line in rest if line.strip()), None)
        if second is not None:
            _keep(logs.events(chain([first, second], rest), found.moments), found)
            return
    periods = _periods(document, file, found.moments)
    if periods is not None:
        _spread(periods, file, found, seed)
        return
    _keep(logs.exported(document, found.moments), found)
    if not found.times:
        message = (
            f"{file.name} is JSON without arrivals: no Datapoints, MetricDataResults or events of requests."
        )
        raise TraceError(message, hint=f"aws logs filter-log-events ... > {file.name}")


def _periods(document: Any, file: Path, moments: Moments) -> list[tuple[float, float]] | None:
    try:
        return metrics.periods(document, moments)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        message = f"{file.name} has a period that cannot be read: {type(error).__name__}: {error}."
        raise TraceError(message, hint="aws cloudwatch get-metric-statistics --statistics Sum ...") from error


def _whole(text: str, file: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TraceError(f"{file.name} is neither JSON nor lines of JSON: {error}.") from error


def _read_table(lines: Iterator[str], file: Path, column: str | None, found: Found, seed: int) -> None:
    rows = table.Table(lines, file.name, column, found.moments)
    if rows.messages is not None:
        _keep(rows.events(), found)
    elif rows.counts is not None:
        _spread(list(rows.periods()), file, found, seed)
    else:
        for moment, service_s in rows.requests():
            found.add(moment, service_s)


def _keep(entries: Iterator[logs.Entry | None], found: Found) -> None:
    """Keep requests; where Lambda reports invocations, these: what ran in one may have logged itself, too."""
    reported = False
    for entry in entries:
        if entry is not None and entry.reported and not reported:
            found.forget()
            reported = True
        if entry is None or entry.reported != reported:
            found.skipped += 1
        else:
            found.add(entry.moment, entry.service_s)


def _spread(periods: list[tuple[float, float]], file: Path, found: Found, seed: int) -> None:
    times, period_s = metrics.spread(periods, source=file.name, seed=seed)
    found.times.frombytes(times.tobytes())
    found.notes.append(
        f"{file.name} counts requests by {period_s:g} s; they were spread over that time at random, which "
        "hides bursts shorter than it."
    )


@contextmanager
def _opened(file: Path) -> Iterator[IO[str]]:
    try:
        if file.suffix == ".gz":
            with gzip.open(file, "rt", encoding="utf-8-sig", errors="replace") as packed:
                yield packed
        else:
            with file.open(encoding="utf-8-sig", errors="replace") as lines:
                yield lines
    except (OSError, EOFError, zlib.error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise TraceError(f"{file} cannot be read: {why}.") from error
