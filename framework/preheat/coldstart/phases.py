"""What the probe has told of a start, as the phases of it. Pure.

interpreter    from before the process to the first line that it runs
preheat        the entry and the runtime, until the handler's module is imported
import         the handler's module and what it imports
setup          with the sessions that it opens
restore
warm-up        the handler's examples through predict
opening        until the process says that it can answer
first answer   a request, sent then
second answer  the same once more
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from preheat.coldstart.model import Phase, Sample

INTERPRETER, RUNTIME, OPENING = "interpreter", "preheat", "opening"
FIRST, SECOND = "first answer", "second answer"
Mark = Mapping[str, Any]
LEAST_MS = 0.05
"""Steps that are shorter than what it takes to note them are left out."""


def phases_of(sample: Sample) -> tuple[Phase, ...]:
    """Return the phases of one start that was probed."""
    up = next(mark for mark in sample.marks if mark["event"] == "up")
    steps = [mark for mark in sample.marks if mark["event"] == "phase"]
    loads = [mark for mark in sample.marks if mark["event"] == "load"]
    at = sample.began_ns
    up_ms = (up["from"] - at) / 1e6
    found = [Phase(name=INTERPRETER, start_ms=0.0, ms=up_ms)]
    last_ms = up_ms
    for step in steps:
        start_ms, end_ms = (step["from"] - at) / 1e6, (step["to"] - at) / 1e6
        if not found[1:]:
            found.append(Phase(name=RUNTIME, start_ms=up_ms, ms=start_ms - up_ms))
        found.append(Phase(name=step["name"], start_ms=start_ms, ms=end_ms - start_ms))
        found += [_load(load, step["name"], at) for load in loads if _inside(load, step)]
        last_ms = end_ms
    found.append(Phase(name=OPENING, start_ms=last_ms, ms=sample.ready_ms - last_ms))
    asked_ms = sample.total_ms - sample.first_answer_ms
    found.append(Phase(name=FIRST, start_ms=asked_ms, ms=sample.first_answer_ms))
    found.append(Phase(name=SECOND, start_ms=sample.total_ms, ms=sample.second_answer_ms))
    return tuple(found)


def typical(starts: Sequence[Sequence[Phase]]) -> tuple[Phase, ...]:
    """Return the median of each phase of some starts; those that hardly take time are left out."""
    by_key: dict[tuple[str, str | None, int], list[Phase]] = {}
    for phases in starts:
        for number, phase in _numbered(phases):
            by_key.setdefault((phase.name, phase.within, number), []).append(phase)
    merged = (
        Phase(
            name=name,
            start_ms=statistics.median(phase.start_ms for phase in found),
            ms=statistics.median(phase.ms for phase in found),
            within=within,
        )
        for (name, within, _), found in by_key.items()
    )
    return tuple(phase for phase in merged if phase.ms >= LEAST_MS)


def _numbered(phases: Iterable[Phase]) -> Iterable[tuple[int, Phase]]:
    """Yield each phase with how many of the same name came before: a setup may open several sessions."""
    seen: dict[tuple[str, str | None], int] = {}
    for phase in phases:
        key = (phase.name, phase.within)
        seen[key] = seen.get(key, -1) + 1
        yield seen[key], phase


def _load(load: Mark, within: str, at: int) -> Phase:
    start_ms = (load["from"] - at) / 1e6
    return Phase(name=load["name"], start_ms=start_ms, ms=(load["to"] - load["from"]) / 1e6, within=within)


def _inside(load: Mark, step: Mark) -> bool:
    return bool(step["from"] <= load["from"] <= step["to"])
