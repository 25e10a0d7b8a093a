"""Files of arrivals, written and read again."""

from datetime import UTC, datetime
from pathlib import Path

from preheat.warming.trace.model import Trace
from preheat.warming.trace.read import read_trace

TEN = datetime(2026, 11, 21, 10, tzinfo=UTC).timestamp()


def read(file: Path, text: str, **options: object) -> Trace:
    """Return what is read of `text` in `file`."""
    file.write_text(text)
    return read_trace(file, **options)  # type: ignore[arg-type]


def notes(trace: Trace) -> str:
    """Return what is said of the trace."""
    return " ".join(trace.notes)
