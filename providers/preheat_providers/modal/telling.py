"""What a container writes of each request: a line on standard output, which becomes the app's log. Ships."""

import os

from preheat.runtime.access import AccessLog
from preheat.runtime.engines import Guarded
from preheat.runtime.metrics import Metrics
from preheat.runtime.telemetry import Telemetry

STDOUT = 1


def telemetry_of(engine: Guarded) -> Telemetry:
    """Return the metrics and the access log of `engine`."""
    return Telemetry(Metrics(circuit_open=lambda: engine.circuit_open), access=AccessLog(_write))


def _write(lines: bytes) -> None:
    for line in lines.splitlines(keepends=True):  # one by one: what a handler prints comes between
        os.write(STDOUT, line)
