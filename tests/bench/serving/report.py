"""A run as one JSON document, and as Markdown. Pure."""

import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from tests.bench.serving.aims import Aim, aims
from tests.bench.serving.closed import RAW
from tests.bench.serving.contenders import GROUPED, OURS, PEERS
from tests.bench.serving.figures import Record, median, ratio
from tests.bench.serving.memory import BARE
from tests.bench.serving.run import Run

OURS_NAME = "preheat"
CPU_CONNECTIONS = 32
TITLES = {
    "noop": "No-op handler",
    "embedding": "MiniLM embedding, float32, one intra-op thread",
    "mixed": "MiniLM embedding, texts of 8 to 256 tokens",
}
SAID = {True: "met", False: "**missed**", None: "not measured"}
Cells = Sequence[str]


def title_of(name: str, scenario: str) -> str:
    """Return how a contender is called in tables and in the plot."""
    if name == RAW:
        return "the loop without a server"
    work = "noop" if scenario == "noop" else "embedding"
    known = {one.name: one.title for one in (*PEERS, *OURS, GROUPED) if work in one.works}
    return known[name]


def document(run: Run) -> dict[str, Any]:
    """Return everything that was measured, for json.dumps."""
    points = [
        {**asdict(place), "round": number, **asdict(point)}
        for place, rounds in run.record.points.items()
        for number, point in rounds.items()
    ]
    return {
        "machine": machine(),
        "options": {**asdict(run.options), "families": sorted(run.options.families)},
        "versions": run.versions,
        "left_out": run.left_out,
        "points": points,
        "memory": {name: asdict(found) for name, found in run.memory.items()},
        "capacity_rps": run.capacity_rps,
        "overload": [[asdict(load) for load in loads] for loads in run.overload],
        "aims": [{**asdict(aim), "met": aim.met} for aim in aims(run)],
    }


def machine() -> str:
    """Return the processor architecture, the system and the Python of this machine."""
    return (
        f"{platform.machine()}, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def markdown(run: Run) -> str:
    """Return every table."""
    options = run.options
    parts = [
        "# Serving benchmark",
        f"{machine()}. {options.rounds} rounds of {options.seconds:g} s each; one processor for the server, "
        "one for the clients. Figures are medians over rounds; ratios are medians of per-round ratios.",
        "## Aims",
        table(["aim", "wanted", "found", ""], [_aim_row(aim) for aim in aims(run)]),
    ]
    for scenario in ("noop", "embedding", "mixed"):
        if run.record.contenders(scenario):
            parts += [f"## {TITLES[scenario]}", _throughput(run.record, scenario)]
    if run.memory:
        parts += ["## Memory with MiniLM, and processor while idle", _memory(run)]
    if run.overload:
        parts += [f"## Overload (capacity {run.capacity_rps[0]:.0f} requests/s)", _overload(run)]
    parts += ["## Errors and absences", *_absences(run), "## Versions", *_versions(run)]
    return "\n\n".join(parts) + "\n"


def table(head: Cells, rows: Sequence[Cells]) -> str:
    """Return a Markdown table whose columns but the first are aligned right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def _aim_row(aim: Aim) -> Cells:
    found = "" if aim.found is None else f"{aim.found:.3g}{aim.unit}"
    return [aim.what, f"{aim.sense} {aim.bound:g}{aim.unit}", found, SAID[aim.met]]


def _throughput(record: Record, scenario: str) -> str:
    connections = record.connections(scenario)
    head = ["", *(f"c{number}: requests/s (p50 / p99 ms)" for number in connections)]
    head += [f"Preheat ÷ this, c{number}" for number in connections]
    head.append(f"CPU µs a request, c{CPU_CONNECTIONS}")
    rows = []
    for name in record.contenders(scenario):
        cells = [_load_cell(record, scenario, name, number) for number in connections]
        for number in connections:
            ours = record.series(scenario, OURS_NAME, number)
            found = ratio(ours, record.series(scenario, name, number))
            cells.append("" if found is None or name == OURS_NAME else f"{found:.2f}")
        cpu_us = median(record.series(scenario, name, CPU_CONNECTIONS, "cpu_us"))
        cells.append("" if cpu_us is None else f"{cpu_us:,.0f}")
        rows.append([title_of(name, scenario), *cells])
    return table(head, rows)


def _load_cell(record: Record, scenario: str, name: str, connections: int) -> str:
    rps = median(record.series(scenario, name, connections))
    p50 = median(record.series(scenario, name, connections, "p50_ms"))
    p99 = median(record.series(scenario, name, connections, "p99_ms"))
    if rps is None:
        return ""
    if p50 is None or p99 is None:
        return f"{rps:,.0f}"
    return f"{rps:,.0f} ({p50:.3g} / {p99:.3g})"


def _memory(run: Run) -> str:
    bare = run.memory[BARE]
    rows = [
        [
            name,
            "" if found.ready_s is None else f"{found.ready_s:.2f}",
            str(found.processes),
            f"{found.ready_mb:.0f} ({found.ready_mb / bare.ready_mb:.2f})",
            f"{found.loaded_mb:.0f} ({found.loaded_mb / bare.loaded_mb:.2f})",
            "" if found.idle_cpu is None else f"{100 * found.idle_cpu:.1f}",
        ]
        for name, found in run.memory.items()
    ]
    head = [
        "",
        "ready after s",
        "processes",
        "PSS MB ready (ratio)",
        "PSS MB after load (ratio)",
        "idle CPU %",
    ]
    return table(head, rows)


def _overload(run: Run) -> str:
    def ms(p50: float | None, p99: float | None) -> str:
        return "" if p50 is None or p99 is None else f"{p50:.1f} / {p99:.1f}"

    head = [
        "offered",
        "sent",
        "accepted",
        "429",
        "failed",
        "hung",
        "accepted p50 / p99 ms",
        "429 p50 / p99 ms",
    ]
    rows = [
        [
            f"{load.offered:g} times capacity",
            *map(str, (load.sent, load.accepted, load.refused, load.failed, load.hung)),
            ms(load.accepted_p50_ms, load.accepted_p99_ms),
            ms(load.refused_p50_ms, load.refused_p99_ms),
        ]
        for loads in run.overload
        for load in loads
    ]
    return table(head, rows)


def _absences(run: Run) -> Iterator[str]:
    points = [point for rounds in run.record.points.values() for point in rounds.values()]
    total, failed, wrong, probed = (
        sum(getattr(point, name) for point in points) for name in ("requests", "failed", "wrong", "probed")
    )
    yield (
        f"{total:,} requests under closed-loop load: {failed} failed, {wrong} wrong; "
        f"{probed:,} answers compared in full meanwhile."
    )
    for place, rounds in sorted(run.record.points.items()):
        bad = sum(point.failed + point.wrong for point in rounds.values())
        if bad:
            title = title_of(place.contender, place.scenario)
            yield f"* {title}, {place.scenario}, c{place.connections}: {bad} bad."
    for what, reason in run.left_out:
        yield f"* Left out: {what}. {' '.join(reason.split())}"


def _versions(run: Run) -> Iterator[str]:
    for family, packages in run.versions.items():
        yield f"* {family}: {', '.join(f'{name} {version}' for name, version in packages.items())}"
