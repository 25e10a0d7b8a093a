"""Variants to outcomes: every graph made once, every session timed in turn, answers compared.

In: variants and a bench. Out: outcomes, and what could not be had with its reason.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from preheat.errors import TuningError
from preheat.progress import Amount, Report, Step
from preheat.tuning.bench import Bench, Made
from preheat.tuning.child import TaskFailed
from preheat.tuning.choice import Deviation, Figures, Outcome, rejection
from preheat.tuning.variants import DEFAULT, Settings, Variant

STAGE = "tune"
Trial = tuple[str, Settings]
"""One kind of session: the name of the graph, and how it is opened."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A variant that cannot be had here, and why."""

    name: str
    reason: str


@dataclass(slots=True)
class Experiment:
    """Remembers what it made, so that a second heat makes nothing again."""

    bench: Bench
    work: Path
    rounds: int
    tolerance: float
    report: Report
    failures: list[Failure] = field(default_factory=list)
    _made: dict[str, Made] = field(default_factory=dict)
    _answers: dict[Trial, Path] = field(default_factory=dict)

    def run(self, variants: Sequence[Variant]) -> list[Outcome]:
        """Measure `variants` beside each other. Raises TuningError if the model does not run as it is."""
        there = [variant for variant in variants if self._can_make(variant)]
        trials = list(dict.fromkeys(trial for variant in there for trial in _trials(variant)))
        figures = self._timed(trials)
        left = [variant for variant in there if all(trial in figures for trial in _trials(variant))]
        deviations = self._deviations(left)
        return [self._outcome(variant, figures, deviations) for variant in left]

    def made(self, variant: Variant) -> Made:
        """Return the files of a variant that was run."""
        return self._made[variant.graph.name]

    def _can_make(self, variant: Variant) -> bool:
        name = variant.graph.name
        if name not in self._made and not any(failure.name == name for failure in self.failures):
            self.report(Step(STAGE, f"making {name}"))
            try:
                self._made[name] = self.bench.make(variant.graph)
            except TaskFailed as failure:
                self.failures.append(Failure(name, failure.message))
        return name in self._made

    def _timed(self, trials: list[Trial]) -> dict[Trial, Figures]:
        """Return the medians; the first round fills the page cache, keeps the answers and is not counted."""
        samples: dict[Trial, list[Figures]] = {trial: [] for trial in trials}
        total = len(trials) * (self.rounds + 1)
        for number in range(total):
            trial = trials[number % len(trials)]
            if trial not in samples:
                continue
            self.report(Amount(STAGE, f"measuring {trial[0]}", number, total, "starts"))
            outputs = self._output(trial) if number < len(trials) else None
            try:
                found = self.bench.measure(self._made[trial[0]], trial[1], outputs)
            except TaskFailed as failure:
                if trial == (DEFAULT.graph.name, DEFAULT.load):
                    raise TuningError(
                        f"The model does not run on its recorded inputs: {failure.message}"
                    ) from failure
                self.failures.append(Failure(_described(trial), failure.message))
                del samples[trial]
                continue
            if outputs is None:
                samples[trial].append(found)
        return {trial: _median(found) for trial, found in samples.items()}

    def _output(self, trial: Trial) -> Path:
        return self._answers.setdefault(trial, self.work / f"answers{len(self._answers)}.npz")

    def _deviations(self, variants: Sequence[Variant]) -> dict[tuple[Trial, Trial], Deviation]:
        reference = (DEFAULT.graph.name, DEFAULT.load)
        pairs: list[tuple[Trial, Trial]] = []
        for variant in variants:
            trials = _trials(variant)
            pairs += [(reference, trial) for trial in trials]
            pairs += [(trials[0], trials[-1])]
        pairs = list(dict.fromkeys(pairs))
        found = self.bench.compare([(self._answers[one], self._answers[other]) for one, other in pairs])
        return dict(zip(pairs, found, strict=True))

    def _outcome(
        self,
        variant: Variant,
        figures: dict[Trial, Figures],
        deviations: dict[tuple[Trial, Trial], Deviation],
    ) -> Outcome:
        trials = _trials(variant)
        reference = (DEFAULT.graph.name, DEFAULT.load)
        deviation = _worst([deviations[reference, trial] for trial in trials])
        swap = deviations[trials[0], trials[-1]] if variant.then else None
        return Outcome(
            variant=variant,
            bytes=self._made[variant.graph.name].bytes,
            load=figures[trials[0]],
            settled=figures[trials[-1]],
            deviation=deviation,
            swap=swap,
            rejected=rejection(variant, deviation, swap, self.tolerance),
        )


def _trials(variant: Variant) -> list[Trial]:
    opened = (variant.load,) if variant.then is None else (variant.load, variant.then)
    return [(variant.graph.name, settings) for settings in opened]


def _described(trial: Trial) -> str:
    name, settings = trial
    return name if settings.packing else f"{name}, unpacked"


def _median(found: list[Figures]) -> Figures:
    return Figures(
        load_ms=statistics.median(each.load_ms for each in found),
        first_ms=statistics.median(each.first_ms for each in found),
        steady_ms=statistics.median(each.steady_ms for each in found),
        rss_bytes=round(statistics.median(each.rss_bytes for each in found)),
    )


def _worst(found: Sequence[Deviation]) -> Deviation:
    return Deviation(
        identical=all(each.identical for each in found),
        max_abs=max(each.max_abs for each in found),
        max_rel=max(each.max_rel for each in found),
        cosine=min(each.cosine for each in found),
    )
