"""The largest savings: trials in rounds, each beside an unchanged start. Starts processes."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from preheat.coldstart.model import LEAST_SHARE, Condition, Import, Sample, Saving
from preheat.coldstart.rounds import STAGE, Rounds
from preheat.coldstart.starting import PROBED
from preheat.coldstart.trials import Trial, Trials
from preheat.progress import Amount, Report

MOST_SAVINGS = 3
LEAST_AGREEING = 0.75
"""The share of rounds in which it must have been one."""


def find_savings(
    rounds: Rounds,
    first: Sample,
    imports: tuple[Import, ...],
    *,
    repeatable: bool,
    folder: Path,
    report: Report,
) -> tuple[Saving, ...]:
    """Return the largest savings, largest first. `first` is a probed start; `folder` takes what is made.

    `repeatable` says that the same input has the same answer at every start.
    """
    condition = Condition(cores=rounds.head.cores)
    trials = list(
        Trials(
            subject=rounds.subject,
            starter=rounds.starter,
            cores=condition.cores,
            folder=folder,
            sample=first,
            imports=imports,
            repeatable=repeatable,
        ).found()
    )
    plain: list[Sample] = []
    tried: list[list[Sample]] = [[] for _ in trials]
    for number in range(rounds.asked.runs if trials else 0):
        report(Amount(STAGE, "rounds of trials", number, rounds.asked.runs, "rounds"))
        plain.append(rounds.start(condition, PROBED))
        for trial, samples in zip(trials, tried, strict=True):
            samples.append(trial.run())
    judged = (saving_of(trial, plain, samples) for trial, samples in zip(trials, tried, strict=True))
    found = [saving for saving in judged if saving is not None]
    return tuple(sorted(found, key=lambda saving: -saving.ms)[:MOST_SAVINGS])


def saving_of(trial: Trial, plain: Sequence[Sample], tried: Sequence[Sample]) -> Saving | None:
    """Return what a trial saves, if it is no chance: in time, and in time of the processors too.

    Others that use the machine make a start take longer by chance, and hardly cost it time of processors.
    """
    pairs = list(zip(plain, tried, strict=True))
    saved_ms = statistics.median(before.total_ms - after.total_ms for before, after in pairs)
    if saved_ms < LEAST_SHARE * statistics.median(sample.total_ms for sample in plain):
        return None
    cpu = [before.cpu_ms - after.cpu_ms for before, after in pairs]
    least_ms = LEAST_SHARE * statistics.median(sample.cpu_ms for sample in plain)
    if sum(each >= least_ms for each in cpu) < LEAST_AGREEING * len(cpu):
        return None
    return Saving(what=trial.what, how=trial.how, ms=saved_ms)
