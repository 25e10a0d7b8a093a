"""Measures the starts of a bundle, on one page. Starts processes, one at a time; writes to a scratch folder.

    once         a probed start that fills the page cache, and finds what the handler opens
    rounds       each condition: a start, the reference, an earlier release; interleaved, so that a machine
                 that gets slower does so for all of them
    phases       probed starts, in some of them every import noted: both cost time, so they give no totals
    savings      what might make it shorter, each beside an unchanged start

Every figure is a median over rounds, every ratio a median of the rounds' own ratios.
"""

import statistics
import tempfile
from pathlib import Path

from preheat.bundle.cache import Cache
from preheat.coldstart.figures import comparison_of, figures_of, typical_imports, verdict_of
from preheat.coldstart.imports import imports_of
from preheat.coldstart.machine import machine
from preheat.coldstart.model import Condition, Result
from preheat.coldstart.pages import forget_everything
from preheat.coldstart.phases import phases_of, typical
from preheat.coldstart.rounds import STAGE, Asked, Rounds
from preheat.coldstart.savings import find_savings
from preheat.coldstart.starting import PROBED, Starter
from preheat.coldstart.subject import Earlier, Subject
from preheat.coldstart.trials import session_models
from preheat.progress import Report, Step
from preheat.project.home import home


def measure(subject: Subject, asked: Asked, *, report: Report, earlier: Earlier | None = None) -> Result:
    """Return what the starts of `subject` take, beside those of `earlier`.

    Raises HandlerError where a start fails.
    """
    with (
        Cache(home() / "cache").in_use(),
        tempfile.TemporaryDirectory(prefix="preheat-coldstart-") as name,
    ):
        if asked.drop_everything:
            forget_everything()  # who may not is told before anything is measured
        folder = Path(name)
        starter = Starter(
            interpreter=subject.interpreter,
            folder=folder,
            request=subject.request,
            limit_s=subject.limit_s,
            threads=subject.threads,
        )
        return _measured(Rounds(subject, asked, starter, report, earlier=earlier), folder, report)


def _measured(rounds: Rounds, folder: Path, report: Report) -> Result:
    subject, asked = rounds.subject, rounds.asked
    report(Step(STAGE, f"starting {subject.rehearsal.entry}"))
    first = rounds.start(Condition(), PROBED)
    series = rounds.compared(session_models(first))
    head = series[rounds.head]

    report(Step(STAGE, "phases and imports"))
    probed, before = rounds.probed()
    importing = rounds.importing()
    imports = typical_imports([imports_of(sample, subject.handler_module) for sample in importing])
    phases, phases_before = (typical([phases_of(sample) for sample in each]) for each in (probed, before))

    savings = None
    if asked.savings:
        report(Step(STAGE, "trying what might make it shorter"))
        repeatable = all(sample.answer == first.answer for sample in head.samples)
        savings = find_savings(rounds, first, imports, repeatable=repeatable, folder=folder, report=report)
    figures = tuple(figures_of(condition, each.samples, each.bares) for condition, each in series.items())
    then = rounds.earlier
    return Result(
        name=subject.project.name,
        stage=subject.project.stage,
        provider=subject.bundle.target.provider,
        digest=subject.bundle.digest,
        entry=subject.rehearsal.entry,
        without=subject.rehearsal.without,
        machine=machine(subject.interpreter),
        runs=asked.runs,
        figures=figures,
        phases=phases,
        imports=imports,
        weights_bytes=subject.weights.bytes,
        weights_read_ms={state: statistics.median(ms) for state, ms in rounds.weights_ms().items()},
        savings=savings,
        verdict=verdict_of(subject.project.coldstart, figures[0]),
        comparison=comparison_of(then, head.samples, head.earlier, phases_before) if then else None,
    )
