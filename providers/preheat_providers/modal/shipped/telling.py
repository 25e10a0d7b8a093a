"""What a container writes of each request: a line on standard output, which becomes the app's log. Ships."""

import json
import os

from preheat.runtime.access import AccessLog, AccessRecord, access_event
from preheat.runtime.engines import Guarded
from preheat.runtime.metrics import Metrics
from preheat.runtime.telemetry import Telemetry

STDOUT = 1


class AtOnce(AccessLog):
    """Writes a line before its call ends: Modal may freeze or end a container that has none in hand.

    Modal takes what a container writes at once, so that nobody waits for a slow reader.
    """

    def __init__(self) -> None:
        super().__init__(_write)

    def add(self, record: AccessRecord) -> None:
        """Write `record`."""
        _write(json.dumps(access_event(record)).encode() + b"\n")


def telemetry_of(engine: Guarded) -> Telemetry:
    """Return the metrics and the access log of `engine`."""
    return Telemetry(Metrics(circuit_open=lambda: engine.circuit_open), access=AtOnce())


def _write(line: bytes) -> None:
    os.write(STDOUT, line)
