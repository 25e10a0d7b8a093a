"""Measures the starts of a bundle, on one page. Starts processes, one at a time; writes to a scratch folder.

    once         a probed start that fills the page cache, and finds what the handler opens
    rounds       each condition: a start, the reference, an earlier release; interleaved, so that a machine
                 that gets slower does so for all of them
    phases       probed starts, and some under -X importtime: both cost time, so no total is taken from them
    savings      what might make it shorter, each beside an unchanged start

Every figure is a median over rounds, every ratio a median of the rounds' own ratios.
"""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from preheat.coldstart import pages
from preheat.coldstart.imports import FLAGS, read_imports
from preheat.coldstart.machine import machine
from preheat.coldstart.model import (
    Bare,
    CacheState,
    Comparison,
    Condition,
    Figures,
    Import,
    Result,
    Sample,
    Saving,
    Spread,
    Verdict,
)
from preheat.coldstart.phases import phases_of, typical
from preheat.coldstart.starting import PLAIN, PROBED, Change, Starter
from preheat.coldstart.subject import Subject
from preheat.coldstart.trials import LEAST_SESSION_MS, Trial, Trials, session_models, untuned
from preheat.errors import HandlerError
from preheat.progress import Amount, Report, Step

STAGE = "measure"
IMPORT_ROUNDS = 3
MOST_SAVINGS = 3
LEAST_SHARE = 0.02
"""A saving below this share of a start is none."""
LEAST_AGREEING = 0.75
"""The share of rounds in which it must have been one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to measure: `conditions` in `runs` rounds; the first is what phases and savings are about.

    `drop_everything` empties the whole page cache before a cold start, not of the bundle's files alone.
    """

    conditions: tuple[Condition, ...] = (Condition(),)
    runs: int = 7
    savings: bool = True
    drop_everything: bool = False


@dataclass
class _Round:
    """What one condition has given so far."""

    samples: list[Sample] = field(default_factory=list)
    bares: list[Bare] = field(default_factory=list)
    earlier: list[Sample] = field(default_factory=list)


def measure(
    subject: Subject, asked: Asked, *, report: Report, earlier: tuple[int, Subject] | None = None
) -> Result:
    """Return what the starts of `subject` take; `earlier` is a release to compare with, and its number.

    Raises HandlerError where a start fails.
    """
    with tempfile.TemporaryDirectory(prefix="preheat-coldstart-") as folder:
        return _Measurement(subject, asked, report, earlier, Path(folder)).run()


class _Measurement:
    def __init__(
        self,
        subject: Subject,
        asked: Asked,
        report: Report,
        earlier: tuple[int, Subject] | None,
        folder: Path,
    ) -> None:
        self._subject = subject
        self._asked = asked
        self._report = report
        self._earlier = earlier
        self._folder = folder
        self._starter = Starter(
            interpreter=subject.interpreter,
            folder=folder,
            request=subject.request,
            limit_s=subject.limit_s,
            threads=subject.threads,
        )
        self._files = subject.files
        self._weights = tuple(pages.files_below([subject.weights.path]))
        layers = ("code", "dependencies")
        self._path = [subject.bundle.layer(name).path for name in layers]  # type: ignore[arg-type]

    def run(self) -> Result:
        self._report(Step(STAGE, f"starting {self._subject.rehearsal.entry}"))
        first = self._start(self._subject, Condition(), PROBED)
        models = session_models(first)
        found = self._rounds(models)
        probed, imports = self._phases()
        earlier = self._earlier_phases()
        repeatable = all(sample.answer == first.answer for sample in (*probed, *found[self._head].samples))
        savings = self._savings(first, imports, models, repeatable) if self._asked.savings else ()
        subject = self._subject
        figures = tuple(_figures(condition, each) for condition, each in found.items())
        phases = typical([phases_of(sample) for sample in probed])
        return Result(
            name=subject.project.name,
            stage=subject.project.stage,
            provider=subject.bundle.target.provider,
            digest=subject.bundle.digest,
            entry=subject.rehearsal.entry,
            without=subject.rehearsal.without,
            machine=machine(subject.interpreter),
            runs=self._asked.runs,
            figures=figures,
            phases=phases,
            imports=imports,
            weights_bytes=subject.weights.bytes,
            weights_read_ms=self._read_weights(),
            savings=savings,
            verdict=verdict_of(subject, figures[0]),
            comparison=self._comparison(found[self._head], earlier),
        )

    @property
    def _head(self) -> Condition:
        return self._asked.conditions[0]

    def _rounds(self, models: Sequence[str]) -> dict[Condition, _Round]:
        asked = self._asked
        found = {condition: _Round() for condition in asked.conditions}
        for number in range(asked.runs):
            self._report(Amount(STAGE, "rounds of fresh processes", number, asked.runs, "rounds"))
            for condition, each in found.items():
                each.samples.append(self._start(self._subject, condition))
                self._prepare(condition)
                each.bares.append(self._starter.bare(self._path, models, condition.cores))
                if self._earlier is not None and condition == self._head:
                    each.earlier.append(self._start(self._earlier[1], condition))
        return found

    def _phases(self) -> tuple[list[Sample], tuple[Import, ...]]:
        """Return probed starts, and the imports of the middle one of some under -X importtime."""
        self._report(Step(STAGE, "phases and imports"))
        probed = [self._start(self._subject, self._head, PROBED) for _ in range(self._asked.runs)]
        change = Change(flags=FLAGS, probed=True, tell=True)
        logs = [self._start(self._subject, self._head, change).log for _ in range(IMPORT_ROUNDS)]
        return probed, _median_imports([read_imports(log, self._subject.handler_module) for log in logs])

    def _earlier_phases(self) -> list[Sample]:
        if self._earlier is None:
            return []
        return [self._start(self._earlier[1], self._head, PROBED) for _ in range(self._asked.runs)]

    def _savings(
        self, first: Sample, imports: tuple[Import, ...], models: Sequence[str], repeatable: bool
    ) -> tuple[Saving, ...]:
        self._report(Step(STAGE, "trying what might make it shorter"))
        trials = list(Trials(self._subject, self._starter, self._folder, first, imports, repeatable).found())
        plain: list[Sample] = []
        tried: dict[int, list[Sample]] = {number: [] for number in range(len(trials))}
        for number in range(self._asked.runs if trials else 0):
            self._report(Amount(STAGE, "rounds of trials", number, self._asked.runs, "rounds"))
            plain.append(self._start(self._subject, Condition(), PROBED))
            for index, trial in enumerate(trials):
                tried[index].append(trial.run())
        found = [
            saving for index, trial in enumerate(trials) if (saving := _saving(trial, plain, tried[index]))
        ]
        found += self._tuned(untuned(models))
        return tuple(sorted(found, key=lambda saving: -saving.ms)[:MOST_SAVINGS])

    def _tuned(self, models: Sequence[str]) -> list[Saving]:
        """Return what optimised models would save: their sessions beside plain ones, in one run."""
        if not models:
            return []
        made = self._folder / "optimised"
        try:
            self._starter.bare(self._path, models, make=made)
            better = [str(made / str(number) / "model.onnx") for number in range(len(models))]
            pairs = [
                (
                    self._starter.bare(self._path, models).session_ms,
                    self._starter.bare(self._path, better, optimised=True).session_ms,
                )
                for _ in range(self._asked.runs)
            ]
        except HandlerError:  # a model that onnxruntime cannot write again
            return []
        saved = statistics.median(before - after for before, after in pairs)
        before, after = (statistics.median(figures) for figures in zip(*pairs, strict=True))
        if before < LEAST_SESSION_MS or saved < LEAST_SHARE * before:
            return []
        what = f"session of {', '.join(Path(model).name for model in models)}"
        how = f"{before:.0f} ms as it is, {after:.0f} ms optimised and mapped: preheat tune"
        return [Saving(what=what, how=how, ms=saved)]

    def _read_weights(self) -> dict[CacheState, float]:
        states = sorted({condition.cache for condition in self._asked.conditions}, reverse=True)
        found: dict[CacheState, float] = {}
        for state in states:
            figures = []
            for _ in range(self._asked.runs):
                self._prepare(Condition(cache=state))
                figures.append(pages.read_ms(self._weights))
            found[state] = statistics.median(figures)
        return found

    def _comparison(self, found: _Round, probed: Sequence[Sample]) -> Comparison | None:
        if self._earlier is None:
            return None
        number, subject = self._earlier
        totals = [sample.total_ms for sample in found.earlier]
        pairs = zip(found.samples, found.earlier, strict=True)
        return Comparison(
            release=number,
            digest=subject.bundle.digest,
            total_ms=Spread.of(totals),
            rss_bytes=round(statistics.median(sample.rss_bytes for sample in found.earlier)),
            ratio=statistics.median(now.total_ms / then.total_ms for now, then in pairs),
            phases=typical([phases_of(sample) for sample in probed]),
        )

    def _start(self, subject: Subject, condition: Condition, change: Change = PLAIN) -> Sample:
        self._prepare(condition, subject)
        return self._starter.start(subject.rehearsal, condition.cores, change)

    def _prepare(self, condition: Condition, subject: Subject | None = None) -> None:
        if condition.cache == "warm":
            return
        if self._asked.drop_everything:
            pages.forget_everything()
        else:
            pages.forget(self._files if subject in (None, self._subject) else subject.files)


def verdict_of(subject: Subject, figures: Figures) -> Verdict | None:
    """Return whether the project's budget was kept; None without one."""
    budget = subject.project.coldstart
    if budget.p95_ms is not None:
        return Verdict(key="p95_ms", limit=budget.p95_ms, measured=figures.total_ms.p95)
    if budget.ratio is not None:
        return Verdict(key="ratio", limit=budget.ratio, measured=figures.ratio)
    return None


def _figures(condition: Condition, found: _Round) -> Figures:
    def middle(of: Callable[[Sample], float]) -> float:
        return statistics.median(of(sample) for sample in found.samples)

    read = [sample.read_bytes for sample in found.samples if sample.read_bytes is not None]
    pairs = zip(found.samples, found.bares, strict=True)
    return Figures(
        condition=condition,
        total_ms=Spread.of([sample.total_ms for sample in found.samples]),
        ready_ms=middle(lambda sample: sample.ready_ms),
        first_answer_ms=middle(lambda sample: sample.first_answer_ms),
        second_answer_ms=middle(lambda sample: sample.second_answer_ms),
        cpu_ms=middle(lambda sample: sample.cpu_ms),
        rss_bytes=round(middle(lambda sample: sample.rss_bytes)),
        read_bytes=round(statistics.median(read)) if read else None,
        bare_ms=statistics.median(bare.total_ms for bare in found.bares),
        ratio=statistics.median(sample.total_ms / bare.total_ms for sample, bare in pairs),
    )


def _saving(trial: Trial, plain: Sequence[Sample], tried: Sequence[Sample]) -> Saving | None:
    """Return what a trial saves, if it is no chance: in time, and in time of the processors too.

    Others that use the machine make a start take longer by chance, and hardly cost it time of processors.
    """
    pairs = list(zip(plain, tried, strict=True))
    saved_ms = statistics.median(before.total_ms - after.total_ms for before, after in pairs)
    enough = saved_ms >= LEAST_SHARE * statistics.median(sample.total_ms for sample in plain)
    cpu = [before.cpu_ms - after.cpu_ms for before, after in pairs]
    least_ms = LEAST_SHARE * statistics.median(sample.cpu_ms for sample in plain)
    agreeing = sum(each >= least_ms for each in cpu) / len(cpu)
    return (
        Saving(what=trial.what, how=trial.how, ms=saved_ms) if enough and agreeing >= LEAST_AGREEING else None
    )


def _median_imports(runs: Sequence[tuple[Import, ...]]) -> tuple[Import, ...]:
    """Return the imports of the first run with the median times of all that have them."""
    found = []
    for each in runs[0]:
        same = [one for imports in runs for one in imports if one.name == each.name]
        ms, own = (
            statistics.median(figures) for figures in zip(*((s.ms, s.self_ms) for s in same), strict=True)
        )
        found.append(Import(name=each.name, ms=ms, self_ms=own, asked_by=each.asked_by))
    return tuple(found)
