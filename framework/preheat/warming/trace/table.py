"""CSV rows to requests, or to counted periods. In: lines. Out: seconds since the epoch. Touches nothing."""

import csv
from collections.abc import Iterator

from preheat.warming.trace import logs
from preheat.warming.trace.model import TraceError
from preheat.warming.trace.moments import Moments

MOMENTS = (
    "timestamp",
    "@timestamp",
    "time",
    "arrival",
    "arrival_time",
    "arrived",
    "start_time",
    "datetime",
    "date",
)
COUNTS = ("sum", "samplecount", "count", "invocations", "requests")
SERVICES_MS = ("service_ms", "model_ms", "duration_ms", "total_ms")
MESSAGE = "@message"
"""How Logs Insights heads log events."""
SAVED = ["timestamp", "message"]
"""How the console of CloudWatch heads log events that it saves."""
SHOWN = 60


class Table:
    """The rows of one CSV: periods, where there is a column of `counts`; log events, where one of `messages`.

    Else each row is one request.
    """

    def __init__(self, lines: Iterator[str], name: str, column: str | None, moments: Moments) -> None:
        first = next(lines)
        delimiter = max(",;\t", key=first.count)
        self._name, self._read = name, moments
        header = [cell.strip() for cell in self._header(first, delimiter)]
        self._rows = csv.reader(lines, delimiter=delimiter)
        self._before = 1
        if column is None and self._is_moment(header[0]):
            self._rows = csv.reader(_and(first, lines), delimiter=delimiter)
            self._before, header = 0, []
        plain = [cell.lower() for cell in header]
        self._moments = self._moment_column(header, plain, column) if header else 0
        message = SAVED[1] if plain == SAVED else MESSAGE
        self.messages = plain.index(message) if message in plain else None
        self.counts = next((plain.index(each) for each in COUNTS if each in plain), None)
        self._services = next((plain.index(each) for each in SERVICES_MS if each in plain), None)

    def requests(self) -> Iterator[tuple[float, float | None]]:
        """Yield each request's moment and, where there is a column of it, what it took in seconds."""
        for number, row in self._numbered():
            yield self._moment(row, number), self._service_s(row, number)

    def events(self) -> Iterator[logs.Entry | None]:
        """Yield what each row's message tells of; None where that is no request."""
        assert self.messages is not None
        for number, row in self._numbered():
            message = row[self.messages] if len(row) > self.messages else ""
            yield logs.told(message, self._moment(row, number), self._read)

    def periods(self) -> Iterator[tuple[float, float]]:
        """Yield the begin of each period and the count in it."""
        assert self.counts is not None
        for number, row in self._numbered():
            yield self._moment(row, number), self._number(row, self.counts, number)

    def _numbered(self) -> Iterator[tuple[int, list[str]]]:
        try:
            for row in self._rows:
                if row and any(row):
                    yield self._rows.line_num + self._before, row
        except csv.Error as error:
            line = self._rows.line_num + self._before
            raise TraceError(f"{self._name} cannot be read up to line {line}: {error}.") from error

    def _header(self, first: str, delimiter: str) -> list[str]:
        try:
            return next(csv.reader([first], delimiter=delimiter))
        except csv.Error as error:
            raise TraceError(f"{self._name} is no table: {error} in its first line.") from error

    def _moment(self, row: list[str], number: int) -> float:
        try:
            return self._read.read(row[self._moments])
        except (ValueError, IndexError, OverflowError) as error:
            value = row[self._moments][:SHOWN] if len(row) > self._moments else ",".join(row)[:SHOWN]
            raise TraceError(
                f"{self._name}, line {number}: {value!r} is no moment.",
                hint="--column NAME  # moments are 2026-11-21T10:00:00Z, or seconds or ms since 1970",
            ) from error

    def _service_s(self, row: list[str], number: int) -> float | None:
        """Return what a request took, None where its row leaves that open."""
        if self._services is None or not "".join(row[self._services : self._services + 1]).strip():
            return None
        return self._number(row, self._services, number) / 1000

    def _number(self, row: list[str], index: int, number: int) -> float:
        try:
            value = float(row[index])
            if 0 <= value < 1e12:
                return value
        except (ValueError, IndexError):
            pass
        found = row[index][:SHOWN] if len(row) > index else "nothing"
        raise TraceError(f"{self._name}, line {number}: {found!r} is no number of 0 or more.")

    def _moment_column(self, header: list[str], plain: list[str], column: str | None) -> int:
        wanted = MOMENTS if column is None else (column.lower(),)
        for name in wanted:
            if name in plain:
                return plain.index(name)
        what = "none of moments" if column is None else f"none called {column!r}"
        raise TraceError(
            f"{self._name} has the columns {', '.join(header)[:200]}, and {what}.",
            hint=f"--column {header[0] or 'NAME'}",
        )

    def _is_moment(self, text: str) -> bool:
        try:
            self._read.read(text)
        except ValueError:
            return False
        return True


def _and(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines
