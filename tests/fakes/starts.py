"""Measured starts, without processes."""

from dataclasses import replace
from typing import Any

from preheat.coldstart.model import Condition, Figures, Import, Phase, Result, Sample, Spread

MS = 1_000_000
"""One ms in ns."""

SAMPLE = Sample(
    began_ns=0,
    ready_ms=90.0,
    total_ms=100.0,
    first_answer_ms=10.0,
    second_answer_ms=4.0,
    cpu_ms=80.0,
    rss_bytes=50_000_000,
    read_bytes=0,
    answer=b'"A"',
)

FIGURES = Figures(
    condition=Condition(),
    total_ms=Spread(100.0, 120.0),
    ready_ms=90.0,
    first_answer_ms=10.0,
    second_answer_ms=4.0,
    cpu_ms=80.0,
    rss_bytes=50_000_000,
    read_bytes=4096,
    bare_ms=40.0,
    ratio=2.5,
)

RESULT = Result(
    name="demo",
    stage="dev",
    provider="local",
    digest="sha256:00",
    entry="a fresh worker process",
    without="the queue",
    machine={"cpu": "a processor", "cores": 2, "memory_bytes": 8_000_000_000, "python": "3.12.1"},
    runs=7,
    figures=(FIGURES, replace(FIGURES, condition=Condition("cold", "one"))),
    phases=(
        Phase(name="interpreter", start_ms=0.0, ms=10.0),
        Phase(name="setup", start_ms=10.0, ms=80.0),
        Phase(name="onnxruntime.InferenceSession", start_ms=12.0, ms=70.0, within="setup"),
        Phase(name="first answer", start_ms=90.0, ms=10.0),
    ),
    imports=(Import(name="numpy", ms=30.0, self_ms=2.0, asked_by="app"),),
    weights_bytes=1000,
    weights_read_ms={"warm": 0.5},
)


def sample(**fields: Any) -> Sample:
    """Return a start that differs in `fields` from the usual one."""
    return replace(SAMPLE, **fields)


def mark(event: str, name: str, begins_ms: float, ends_ms: float, **more: Any) -> dict[str, Any]:
    """Return what the probe tells of something between two times, in ms since the process was started."""
    return {"event": event, "name": name, "from": int(begins_ms * MS), "to": int(ends_ms * MS), **more}
