"""The aims of the serving engine, and whether a run met them. Pure; nothing is asserted."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tests.bench.serving.closed import RAW
from tests.bench.serving.figures import Record, Series, best, ratio
from tests.bench.serving.memory import BARE
from tests.bench.serving.run import Run

OWN = ("preheat", "preheat-batched", "preheat-grouped")
BARE_ASGI = ("asgi", "asgi-eager")
AT_ONCE_MS = 50.0
"""How long a refusal may take, by the clock of a client that is itself busy."""


@dataclass(frozen=True, slots=True)
class Aim:
    """One aim. `found` is None when it was not measured."""

    what: str
    sense: Literal["at least", "at most"]
    bound: float
    found: float | None
    unit: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None when it was not measured."""
        if self.found is None:
            return None
        return self.found >= self.bound if self.sense == "at least" else self.found <= self.bound


def aims(run: Run) -> list[Aim]:
    """Return every aim with what the run found."""
    return [*_no_op(run.record), *_embedding(run.record), *_mixed(run.record), *_memory(run), *_overload(run)]


def _no_op(record: Record) -> Iterator[Aim]:
    def rps(name: str) -> Series:
        return record.series("noop", name, 32)

    for name, title in (("preheat", "no-op"), ("preheat-batched", "no-op, batched handler")):
        yield Aim(
            f"{title}, 32: throughput over FastAPI's", "at least", 3.0, ratio(rps(name), rps("fastapi"))
        )
        yield Aim(
            f"{title}, 32: throughput over LitServe's", "at least", 12.0, ratio(rps(name), rps("litserve"))
        )
        p50 = ratio(record.series("noop", name, 1, "p50_ms"), record.series("noop", "asgi", 1, "p50_ms"))
        yield Aim(f"{title}, 1: p50 over bare ASGI's", "at most", 2.0, p50)


def _embedding(record: Record) -> Iterator[Aim]:
    def rps(name: str, connections: int) -> Series:
        return record.series("embedding", name, connections)

    yield Aim(
        "embedding, 1: throughput over bare ASGI's",
        "at least",
        0.95,
        ratio(rps("preheat", 1), rps("asgi", 1)),
    )
    rivals = [name for name in record.contenders("embedding") if name not in (*OWN, *BARE_ASGI, RAW)]
    for connections in (8, 32, 64):
        strongest = best(rps(name, connections) for name in rivals)
        found = ratio(rps("preheat", connections), strongest)
        yield Aim(f"embedding, {connections}: throughput over the best peer's", "at least", 1.05, found)
    p99, p50 = (record.series("embedding", "preheat", 32, quantity) for quantity in ("p99_ms", "p50_ms"))
    yield Aim("embedding, 32: p99 over p50", "at most", 1.5, ratio(p99, p50))
    loop = ratio(rps("preheat", 32), rps(RAW, 32))
    yield Aim("embedding, 32: throughput over the loop's in batches of 32", "at least", 0.85, loop)


def _mixed(record: Record) -> Iterator[Aim]:
    def compared(quantity: Literal["rps", "p99_ms"]) -> float | None:
        grouped, plain = (
            record.series("mixed", name, 32, quantity) for name in ("preheat-grouped", "preheat")
        )
        return ratio(grouped, plain)

    yield Aim("mixed lengths: throughput with grouping over without", "at least", 1.0, compared("rps"))
    yield Aim("mixed lengths: p99 with grouping over without", "at most", 1.0, compared("p99_ms"))


def _memory(run: Run) -> Iterator[Aim]:
    ours, bare = run.memory.get("Preheat"), run.memory.get(BARE)
    ready = ours.ready_mb / bare.ready_mb if ours and bare else None
    loaded = ours.loaded_mb / bare.loaded_mb if ours and bare else None
    idle = 100 * ours.idle_cpu if ours and ours.idle_cpu is not None else None
    yield Aim("memory when ready over the bare script's", "at most", 1.1, ready)
    yield Aim("memory after load over the bare script's", "at most", 1.1, loaded)
    yield Aim("processor while idle", "at most", 1.0, idle, " %")


def _overload(run: Run) -> Iterator[Aim]:
    def p99(offered: float) -> Series:
        return {
            number: load.accepted_p99_ms
            for number, loads in enumerate(run.overload)
            for load in loads
            if load.offered == offered and load.accepted_p99_ms is not None
        }

    over = [load for loads in run.overload for load in loads if load.offered > 1]
    slower = ratio(p99(4.0), p99(1.0))
    yield Aim("overload: accepted p99 at 4 times capacity over at capacity", "at most", 2.0, slower)
    refused = [load.refused_p99_ms for load in over if load.refused_p99_ms is not None]
    slowest = statistics.median(refused) if refused else None
    yield Aim("overload: p99 of a refusal", "at most", AT_ONCE_MS, slowest, " ms")
    lost = float(sum(load.hung + load.failed for load in over)) if over else None
    yield Aim("overload: requests that hung or failed", "at most", 0.0, lost)
