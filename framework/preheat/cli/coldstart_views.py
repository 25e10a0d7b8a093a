"""What a reader sees of a measured start. In: frozen data. Out: lines with colours. Touches nothing."""

from collections.abc import Iterator, Sequence

import click

from preheat.cli.text import bold, columns, dim, human_bytes, human_ms
from preheat.coldstart.model import Comparison, Figures, Import, Phase, Result, Saving, Verdict

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
    limit, measured = (_budget(found, value) for value in (found.limit, found.measured))
    kept = "is kept" if found.kept else "is not kept"
    return f"coldstart.{found.key} = {limit} {kept}: measured {measured}"


def _budget(found: Verdict, value: float) -> str:
    return f"{value:.2f}" if found.key == "ratio" else f"{value:.0f} ms"


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


def _imports(imports: Sequence[Import]) -> Iterator[str]:
    longest = sorted(imports, key=lambda each: -each.ms)[:IMPORTS_SHOWN]
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
    before = {(phase.name, phase.within): phase.ms for phase in then.phases}
    after = {(phase.name, phase.within): phase.ms for phase in found.phases}
    rows = [tuple(dim(title) for title in ("", "then", "now", "more"))]
    for key in dict.fromkeys([*after, *before]):
        change = after.get(key, 0.0) - before.get(key, 0.0)
        name, within = key
        row = (f"  {name}" if within else name, human_ms(before.get(key)), human_ms(after.get(key)))
        rows.append((*row, f"{change:+.1f} ms"))
    yield from columns(rows, right=frozenset({1, 2, 3}))


def _savings(savings: Sequence[Saving], head: Figures) -> Iterator[str]:
    for saving in savings:
        share = f"{100 * saving.ms / head.total_ms.p50:.0f} % of {human_ms(head.total_ms.p50)}"
        yield f"{bold(f'{saving.ms:.0f} ms')} {dim(f'({share})')}  {saving.what}"
        yield f"    {saving.how}"
