"""The largest savings: trials in rounds beside unchanged starts, and sessions beside optimised ones.

Starts processes; writes optimised models to a scratch folder.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path

from preheat.coldstart.model import Condition, Import, Sample, Saving
from preheat.coldstart.rounds import STAGE, Rounds
from preheat.coldstart.starting import PROBED
from preheat.coldstart.trials import Trial, Trials, session_models, untuned
from preheat.errors import HandlerError
from preheat.progress import Amount, Report

MOST_SAVINGS = 3
LEAST_SHARE = 0.02
"""A saving below this share of a start is none."""
LEAST_AGREEING = 0.75
"""The share of rounds in which it must have been one."""
LEAST_SESSION_MS = 10.0


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
    trials = list(Trials(rounds.subject, rounds.starter, folder, first, imports, repeatable).found())
    plain: list[Sample] = []
    tried: list[list[Sample]] = [[] for _ in trials]
    for number in range(rounds.asked.runs if trials else 0):
        report(Amount(STAGE, "rounds of trials", number, rounds.asked.runs, "rounds"))
        plain.append(rounds.start(Condition(), PROBED))
        for trial, samples in zip(trials, tried, strict=True):
            samples.append(trial.run())
    judged = (saving_of(trial, plain, samples) for trial, samples in zip(trials, tried, strict=True))
    found = [saving for saving in (*judged, _tuned(rounds, session_models(first), folder)) if saving]
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


def _tuned(rounds: Rounds, opened: Sequence[str], folder: Path) -> Saving | None:
    """Return what optimised models would save: their sessions beside those of the models as they are."""
    models = untuned(opened)
    if not models:
        return None
    made, starter = folder / "optimised", rounds.starter
    better = [str(made / str(number) / "model.onnx") for number in range(len(models))]
    try:
        starter.bare(rounds.path, models, make=made)
        pairs = [
            (
                starter.bare(rounds.path, models).session_ms,
                starter.bare(rounds.path, better, optimised=True).session_ms,
            )
            for _ in range(rounds.asked.runs)
        ]
    except HandlerError:  # a model that onnxruntime cannot write again: nothing to offer
        return None
    before, after = (statistics.median(figures) for figures in zip(*pairs, strict=True))
    saved_ms = statistics.median(slow - fast for slow, fast in pairs)
    if before < LEAST_SESSION_MS or saved_ms < LEAST_SHARE * before:
        return None
    what = f"session of {', '.join(Path(model).name for model in models)}"
    how = f"{before:.0f} ms as it is, {after:.0f} ms optimised and mapped: preheat tune"
    return Saving(what=what, how=how, ms=saved_ms)
