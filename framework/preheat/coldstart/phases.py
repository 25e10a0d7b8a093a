"""What the probe has told of a start, as the phases of it. Pure.

interpreter    from before the process to the first line that it runs
preheat        the entry and the runtime, before the handler's module is imported and between its phases
import         the handler's module and what it imports
setup          with the sessions that it opens
restore
warm-up        the handler's examples through predict
opening        until the process says that it can answer
first answer   a request, sent then
second answer  the same once more
"""

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from preheat.coldstart.model import Phase, Sample

INTERPRETER, RUNTIME, OPENING = "interpreter", "preheat", "opening"
FIRST, SECOND = "first answer", "second answer"
Mark = Mapping[str, Any]
LEAST_MS = 0.05
"""Steps that are shorter than what it takes to note them are left out."""


def phases_of(sample: Sample) -> tuple[Phase, ...]:
    """Return the phases of one start that was probed, and after each what was opened since it began.

    Nothing is opened by preheat itself: what begins between two phases, a thread of the earlier one opens.
    """
    outer = tuple(_outer(sample))
    begun = [phase for phase in outer if phase.name != RUNTIME]
    parts: dict[Phase, list[Phase]] = {}
    for load in (_phase(mark, sample.began_ns) for mark in sample.marks if mark["event"] == "load"):
        owner = [phase for phase in begun if phase.start_ms <= load.start_ms][-1]
        parts.setdefault(owner, []).append(replace(load, within=owner.name))
    return tuple(each for phase in outer for each in (phase, *parts.get(phase, ())))


def _outer(sample: Sample) -> Iterator[Phase]:
    up = next(mark for mark in sample.marks if mark["event"] == "up")
    steps = [_phase(mark, sample.began_ns) for mark in sample.marks if mark["event"] == "phase"]
    at_ms = (up["from"] - sample.began_ns) / 1e6
    yield Phase(name=INTERPRETER, start_ms=0.0, ms=at_ms)
    for step in sorted(steps, key=lambda step: step.start_ms):
        yield Phase(name=RUNTIME, start_ms=at_ms, ms=step.start_ms - at_ms)
        yield step
        at_ms = step.start_ms + step.ms
    yield Phase(name=OPENING, start_ms=at_ms, ms=sample.ready_ms - at_ms)
    asked_ms = sample.total_ms - sample.first_answer_ms
    yield Phase(name=FIRST, start_ms=asked_ms, ms=sample.first_answer_ms)
    yield Phase(name=SECOND, start_ms=sample.total_ms, ms=sample.second_answer_ms)


def _phase(mark: Mark, at_ns: int) -> Phase:
    return Phase(
        name=mark["name"], start_ms=(mark["from"] - at_ns) / 1e6, ms=(mark["to"] - mark["from"]) / 1e6
    )


def typical(starts: Sequence[Sequence[Phase]]) -> tuple[Phase, ...]:
    """Return the median of each phase of some starts, each begun where the one before ends.

    A phase that comes in pieces is shown as one. What a thread opens begins now in one phase, now in the
    next: it is shown within the usual one. Phases that hardly take time are left out.
    """
    parts = _parts(starts)
    found: list[Phase] = []
    at_ms = 0.0
    for name in dict.fromkeys(phase.name for start in starts for phase in start if phase.within is None):
        ms = statistics.median(
            sum(phase.ms for phase in start if (phase.name, phase.within) == (name, None)) for start in starts
        )
        within = [replace(part, start_ms=at_ms + part.start_ms) for part in parts if part.within == name]
        found += [Phase(name=name, start_ms=at_ms, ms=ms), *within]
        at_ms += ms
    return tuple(phase for phase in found if phase.ms >= LEAST_MS)


def _parts(starts: Sequence[Sequence[Phase]]) -> list[Phase]:
    """Return what was opened within phases, as medians; `start_ms` is since the phase began."""
    seen: dict[tuple[str, int], list[Phase]] = {}
    for phases in starts:
        begun = {phase.name: phase.start_ms for phase in reversed(phases) if phase.within is None}
        count: Counter[str] = Counter()
        for phase in phases:
            if phase.within is not None:
                since = replace(phase, start_ms=phase.start_ms - begun[phase.within])
                seen.setdefault((phase.name, count[phase.name]), []).append(since)
                count[phase.name] += 1
    found = []
    for (name, _), each in seen.items():
        within = statistics.mode(phase.within for phase in each)
        start_ms = statistics.median(phase.start_ms for phase in each if phase.within == within)
        ms = statistics.median(phase.ms for phase in each)
        found.append(Phase(name=name, start_ms=start_ms, ms=ms, within=within))
    return found
