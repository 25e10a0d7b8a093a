"""What a reader sees of a measured start. In: frozen data. Out: lines with colours. Touches nothing."""

from collections.abc import Iterator, Sequence

import click

from preheat.cli.text import bold, columns, dim, human_bytes, human_ms
from preheat.coldstart.imports import of_packages
from preheat.coldstart.model import (
    LEAST_SHARE,
    Comparison,
    Figures,
    Import,
    Phase,
    Result,
    Saving,
    Verdict,
)

BAR_CELLS = 44
IMPORTS_SHOWN = 10
EIGHTHS = " ▏▎▍▌▋▊▉"


def result(found: Result) -> Iterator[str]:
    """Yield everything that was found, the most important first."""
    head = found.figures[0]
    where = f"{found.name} ({found.stage}) on {found.provider}"
    spread = f"p95 {human_ms(head.total_ms.p95)}, {found.runs} fresh processes, {head.condition}"
    yield f"{bold(where)}: {bold(human_ms(head.total_ms.p50))} to the first answer  {dim(spread)}"
    yield dim(f"  {head.ratio:.2f} × an interpreter that opens the same models ({human_ms(head.bare_ms)})")
    yield dim(f"  started: {found.entry}")
    yield dim(f"  not here: {found.without}")
    yield dim(f"  {_machine(found)}")
    yield from _section("phases", _waterfall(found.phases))
    yield from _section("conditions", _conditions(found.figures))
    yield from _section("imports", _imports(found.imports))
    yield from _section("weights", _weights(found))
    if found.comparison is not None:
        title = f"release {found.comparison.release}"
        yield from _section(title, _comparison(found, found.comparison))
    if found.savings is not None:
        yield from _section("savings", _savings(found.savings, head))
    if found.verdict is not None:
        yield ""
        yield from verdict(found.verdict)


def verdict(found: Verdict) -> Iterator[str]:
    """Yield whether a budget was kept, with the numbers."""
    sign = click.style("✓", fg="green") if found.kept else click.style("✗", fg="red")
    yield f"{sign} {verdict_text(found)}"


def verdict_text(found: Verdict) -> str:
    """Return a budget, and what was measured."""
    kept = "is kept" if found.kept else "is not kept"
    measured = f"{found.measured:.2f}" if found.key == "ratio" else f"{found.measured:.1f} ms"
    return f"coldstart.{found.key} = {found.limit:g} {kept}: measured {measured}"


def _machine(found: Result) -> str:
    machine = found.machine
    memory = human_bytes(machine["memory_bytes"])
    return f"{machine['cpu']}, {machine['cores']} cores, {memory}, Python {machine['python']}"


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    shown = list(lines)
    if shown:
        yield ""
        yield f"  {bold(title)}"
        yield from (f"    {line}" for line in shown)


def _waterfall(phases: Sequence[Phase]) -> Iterator[str]:
    end_ms = max(phase.start_ms + phase.ms for phase in phases)
    rows = [
        (
            f"  {dim(phase.name)}" if phase.within else phase.name,
            human_ms(phase.ms),
            click.style(bar(phase, end_ms), fg="green" if phase.name.endswith("answer") else "blue"),
        )
        for phase in phases
    ]
    yield from columns(rows, right=frozenset({1}))


def bar(phase: Phase, end_ms: float) -> str:
    """Return `phase` as a bar of whole and partial cells, on an axis that ends at `end_ms`."""
    before = round(BAR_CELLS * phase.start_ms / end_ms)
    eighths = max(1, round(8 * BAR_CELLS * phase.ms / end_ms))
    return " " * before + "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _conditions(figures: Sequence[Figures]) -> Iterator[str]:
    titles = ("", "p50", "p95", "ready", "1st", "2nd", "CPU", "memory", "from disk", "× bare")
    rows = [tuple(dim(title) for title in titles)]
    rows += [
        (
            str(each.condition),
            human_ms(each.total_ms.p50),
            human_ms(each.total_ms.p95),
            human_ms(each.ready_ms),
            human_ms(each.first_answer_ms),
            human_ms(each.second_answer_ms),
            human_ms(each.cpu_ms),
            human_bytes(each.rss_bytes),
            "-" if each.read_bytes is None else human_bytes(each.read_bytes),
            f"{each.ratio:.2f}",
        )
        for each in figures
    ]
    yield from columns(rows, right=frozenset(range(1, 10)))
    if any(each.condition.cache == "cold" and each.read_bytes == 0 for each in figures):
        yield dim("nothing came from disk: the kernel kept the files. --drop-caches, as root, empties it all")


def _imports(imports: Sequence[Import]) -> Iterator[str]:
    longest = sorted(of_packages(imports), key=lambda each: -each.ms)[:IMPORTS_SHOWN]
    rows = [
        (human_ms(each.ms), each.name, dim(f"by {each.asked_by}" if each.asked_by else "by the start"))
        for each in longest
    ]
    yield from columns(rows, right=frozenset({0})) if rows else ()
    if len(imports) > len(longest):
        yield dim(f"and {len(imports) - len(longest)} more over 1 ms: --json")


def _weights(found: Result) -> Iterator[str]:
    if not found.weights_bytes:
        return
    times = ", ".join(f"{human_ms(ms)} {state}" for state, ms in found.weights_read_ms.items())
    yield f"{human_bytes(found.weights_bytes)} read once, in order: {times}"


def _comparison(found: Result, then: Comparison) -> Iterator[str]:
    now = found.figures[0]
    yield (
        f"{human_ms(then.total_ms.p50)} then, {human_ms(now.total_ms.p50)} now: "
        f"{bold(f'{then.ratio:.2f} ×')}, "
        f"memory {human_bytes(then.rss_bytes)} then, {human_bytes(now.rss_bytes)} now"
    )
    before, after = _by_name(then.phases), _by_name(found.phases)
    rows = [tuple(dim(title) for title in ("", "then", "now", "more"))]
    for key in dict.fromkeys([*after, *before]):
        old, new = before.get(key), after.get(key)
        shown = new or old
        assert shown is not None
        more = (new.ms if new else 0.0) - (old.ms if old else 0.0)
        times = (human_ms(old.ms if old else None), human_ms(new.ms if new else None))
        rows.append((f"  {shown.name}" if shown.within else shown.name, *times, f"{more:+.1f} ms"))
    yield from columns(rows, right=frozenset({1, 2, 3}))


def _by_name(phases: Sequence[Phase]) -> dict[tuple[str, int], Phase]:
    """Return each phase by its name, and how many of that name came before: of sessions there may be some."""
    found: dict[tuple[str, int], Phase] = {}
    for phase in phases:
        found[phase.name, sum(name == phase.name for name, _ in found)] = phase
    return found


def _savings(savings: Sequence[Saving], head: Figures) -> Iterator[str]:
    for saving in savings:
        share = f"{100 * saving.ms / head.total_ms.p50:.0f} % of {human_ms(head.total_ms.p50)}"
        yield f"{bold(f'{saving.ms:.0f} ms')} {dim(f'({share})')}  {saving.what}"
        yield f"    {saving.how}"
    if not savings:
        yield f"none of what was tried makes it {100 * LEAST_SHARE:.0f} % shorter"
