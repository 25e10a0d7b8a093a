"""The histogram policy beside a fixed keep-alive of ten minutes, and how fast the simulator is.

Run: `python -m tests.bench.warming [TRACE]`. Prints the tables of docs/warm.md, with a TRACE of your own in
place of the public one. Nothing depends on the machine but the last table. Every cold start takes a second,
and a pool has at most 100 workers.

"Equal" is the fixed time, found in hindsight, with which workers exist for exactly as long as under the
histogram policy: nobody knows it beforehand.
"""

import argparse
import csv
import gzip
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from tests.fakes.warming import START, replayed

from preheat.warming.simulate import Outcome
from preheat.warming.trace.generate import generate, read_rate
from preheat.warming.trace.model import Floats, Trace
from preheat.warming.trace.read import read_trace

DATA = Path(__file__).parents[1] / "data" / "azure-llm-code.csv.gz"
MS_A_TOKEN, MS_A_CONTEXT_TOKEN = 20.0, 0.1
"""What a token is taken to need to be generated, and to be read: the trace has counts only."""
SERVICE_S, COLD_S, MOST = 0.1, 1.0, 100
TEN_MINUTES = 600.0
LONGEST_S = 3 * 86400.0
LARGE = 10_000_000
WEEKS = 20
STRETCHED = (10, 100, 1000, 3000)
"""How many times as long gaps are made: 10 and 3000 had no part in the choice of the policy's constants."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function's traffic."""

    name: str
    trace: Trace
    services_s: Floats | float = SERVICE_S

    def run(self, *, idle_s: float, adaptive: bool = False) -> Outcome:
        """Replay it with a fixed keep-alive, or under the histogram policy with the memory of that."""
        return replayed(
            self.trace,
            cold_s=COLD_S,
            service_s=self.services_s,
            most=MOST,
            idle_s=idle_s,
            adaptive=adaptive,
        )


def public() -> list[Function]:
    """Return the public trace, and the same with all gaps stretched: its bursts at lower rates."""
    trace = read_trace(DATA)
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        tokens = [(int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(lines)]
    services_s = np.array([MS_A_CONTEXT_TOKEN * read + MS_A_TOKEN * made for read, made in tokens]) / 1000
    return _stretched("public trace", trace, services_s)


def of_file(file: Path) -> list[Function]:
    """Return a trace of the reader's, as it is and stretched."""
    trace = read_trace(file)
    return _stretched(file.name, trace, SERVICE_S if trace.services_s is None else trace.services_s)


def _stretched(name: str, trace: Trace, services_s: Floats | float) -> list[Function]:
    names = {1: name} | {times: f"{name}, gaps × {times}" for times in STRETCHED}
    return [
        Function(each, Trace(start=trace.start, arrivals=trace.arrivals * times), services_s)
        for times, each in names.items()
    ]


def made() -> list[Function]:
    """Return made-up traffic of several shapes and rates."""
    random = np.random.default_rng(5)
    found = []
    for rate in ("1/h", "4/h", "12/h", "60/h"):
        found.append(Function(f"at random, {rate}", _weeks(rate, bursty=False)))
        found.append(Function(f"bursts of 10, {rate}", _weeks(rate, bursty=True)))
    for minutes, jitter_s, count in ((15, 5, 2000), (30, 60, 2000), (60, 300, 1000)):
        moments = np.arange(count) * minutes * 60 + random.normal(0, jitter_s, count)
        found.append(Function(f"every {minutes} min ± {jitter_s} s", _of(moments)))
    for each_day in (40, 400):
        count = each_day * 60
        moments = random.integers(0, 60, count) * 86400 + random.uniform(8 * 3600, 18 * 3600, count)
        found.append(Function(f"{each_day} a day, 8 to 18 h", _of(moments)))
    for spread in (1.0, 2.0):
        gaps = random.lognormal(np.log(1200) - spread**2 / 2, spread, 3000)
        found.append(Function(f"lognormal gaps of 20 min, σ = {spread:g}", _of(np.cumsum(gaps))))
    return found


def _weeks(rate: str, *, bursty: bool) -> Trace:
    """Return traces of several seeds, one after the other, so that luck counts for little."""
    traces = [generate(read_rate(rate), bursty=bursty, seed=seed) for seed in range(WEEKS)]
    begins = np.cumsum([0.0, *(each.duration_s for each in traces)])
    return _of(np.concatenate([begin + each.arrivals for begin, each in zip(begins, traces, strict=False)]))


def _of(moments: Floats) -> Trace:
    ordered = np.sort(moments)
    return Trace(start=START, arrivals=ordered - ordered[0])


def equal_memory(wanted_s: float, run: Callable[[float], Sequence[Outcome]]) -> float:
    """Return the fixed keep-alive with which workers exist for `wanted_s` at most."""
    least, most = 0.0, LONGEST_S
    for _ in range(30):
        middle = (least + most) / 2
        if memory_s(run(middle)) > wanted_s:
            most = middle
        else:
            least = middle
    return least


def memory_s(outcomes: Sequence[Outcome]) -> float:
    """Return for how long workers existed."""
    return sum(each.totals.worker_s for each in outcomes)


def row(name: str, functions: Sequence[Function]) -> str:
    """Return one row: all of `functions` under one policy at a time."""
    fixed = [each.run(idle_s=TEN_MINUTES) for each in functions]
    histogram = [each.run(idle_s=TEN_MINUTES, adaptive=True) for each in functions]
    idle_s = equal_memory(memory_s(histogram), lambda idle: [each.run(idle_s=idle) for each in functions])
    equal = [each.run(idle_s=idle_s) for each in functions]
    cells = [name, f"{sum(each.requests for each in fixed):,}"]
    cells += [*_cells(fixed), *_cells(histogram), f"{idle_s / 60:.1f} min", f"{_cold(equal):,}"]
    return f"| {' | '.join(cells)} |"


def _cells(outcomes: Sequence[Outcome]) -> tuple[str, str]:
    return f"{_cold(outcomes):,}", f"{memory_s(outcomes) / 3600:,.1f}"


def _cold(outcomes: Sequence[Outcome]) -> int:
    return sum(each.cold for each in outcomes)


def speed() -> Mapping[str, tuple[float, float]]:
    """Return the seconds that 10 million requests take, and those of a processor; compiled before."""
    trace = generate(read_rate("100/s"), bursty=False, seed=1)
    function = Function("large", Trace(start=trace.start, arrivals=trace.arrivals[:LARGE]))
    assert len(function.trace.arrivals) == LARGE
    seconds = {}
    for name, adaptive in (("fixed keep-alive", False), ("histogram policy", True)):
        began, worked = time.perf_counter(), time.process_time()
        function.run(idle_s=60.0, adaptive=adaptive)
        seconds[name] = time.perf_counter() - began, time.process_time() - worked
    return seconds


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.warming")
    parser.add_argument("trace", nargs="?", type=Path, help="a file that preheat warm plan reads")
    given = parser.parse_args().trace
    columns = ("traffic", "requests", "cold, fixed 10 min", "hours", "cold, histogram", "hours")
    head = " | ".join([*columns, "equal", "cold, fixed at that"])
    say = partial(Console(soft_wrap=True).print, markup=False, highlight=False)
    say(f"| {head} |\n|---|" + "---:|" * 7)
    functions, real = made(), of_file(given) if given else public()
    for each in (*real, *functions):
        say(row(each.name, [each]))
    say(row("all made-up functions together", functions))
    say(f"\n{real[0].name}: {real[0].run(idle_s=LONGEST_S).cold} cold with workers that never stop")
    say(f"\n| {LARGE:,} requests | s | of a processor |\n|---|---:|---:|")
    for name, (wall_s, cpu_s) in speed().items():
        say(f"| {name} | {wall_s:.1f} | {cpu_s:.1f} |")


if __name__ == "__main__":
    main()
