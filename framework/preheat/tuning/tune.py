"""How a model loads and runs fastest, on one page.

weights       reads preheat.toml      which entry, and where it came from before it was tuned
environment   network if missing      the project's packages, and what rewrites models beside them
look          a process               is it a model that this onnxruntime takes?
record        a process               the handler runs its examples; what it feeds the model is kept
make          a process a graph       the variants
measure       a process a round       every way to open them, in turn; then the best one's switches
choose        nothing                 what is near enough to the original, and best for the objective
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preheat.bundle.apart import INHERITED
from preheat.bundle.cache import Cache
from preheat.bundle.interpreter import Interpreter, find_interpreter, runs_here
from preheat.bundle.lock import lock
from preheat.bundle.model import Bundle, Target
from preheat.bundle.uv import Uv
from preheat.bundle.weights.fetch import Fetcher
from preheat.bundle.weights.http import Http
from preheat.errors import TuningError
from preheat.interface.threads import library_environment
from preheat.progress import Notice, Report, Step
from preheat.project.model import Project
from preheat.tuning.bench import Made, Workbench
from preheat.tuning.child import Child
from preheat.tuning.choice import Outcome, choose, refined
from preheat.tuning.cpu import multiplies_bytes_exactly, processor
from preheat.tuning.environment import extras, make_environment
from preheat.tuning.experiment import STAGE, Experiment, Failure
from preheat.tuning.manifest import manifest
from preheat.tuning.recording import Recording, record, require_real_inputs
from preheat.tuning.subject import Subject, choose_weights, companions, fetch_original
from preheat.tuning.variants import DEFAULT, Objective, Quantisation, candidates, refinements

CPU_PROVIDER = "CPUExecutionProvider"
ONE_VALUE = (
    "The examples feed {} one value throughout. Times are those of such inputs and of their sizes, and "
    "deviations say little; examples() with real inputs say more."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user asks for. `tolerance` bounds what quantising may cost: 1 - cosine."""

    weights: str | None = None
    objective: Objective = "cold"
    quantise: tuple[Quantisation, ...] = ()
    fuse: bool = False
    calibration: Path | None = None
    tolerance: float = 0.01
    rounds: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """What was found. `made` holds the files of the chosen graph, until the working folder goes."""

    subject: Subject
    wish: Wish
    outcomes: tuple[Outcome, ...]
    failures: tuple[Failure, ...]
    chosen: Outcome
    default: Outcome
    made: Made
    beside: tuple[Path, ...]
    recording: Recording
    document: Mapping[str, Any]


def tune(
    project: Project,
    target: Target,
    wish: Wish,
    *,
    build: Callable[[], Bundle],
    cache: Cache,
    work: Path,
    report: Report,
) -> Tuned:
    """Find the best way to load and run a model of `project`, trying in the empty folder `work`."""
    if ("static" in wish.quantise) != (wish.calibration is not None):
        raise TuningError(
            "Static quantisation takes inputs to calibrate with, and nothing else does.",
            hint="preheat tune --quantize static --calibration calibration.npz",
        )
    entry = choose_weights(project, wish.weights)
    interpreter = _interpreter(target)
    report(Step(STAGE, "packages that rewrite models"))
    uv = Uv(project.root)
    requirements = [*project.requirements, *target.requirements]
    pins = lock(requirements, target, root=project.root, uv=uv, cache=cache, upgrade=False)
    packages = make_environment(pins, extras(wish.quantise, fuse=wish.fuse), target, uv=uv, cache=cache)
    subject = fetch_original(entry, Fetcher(project.root, target, uv, Http(), cache, report), cache)
    threads = max(1, int(project.resources.cpu))
    rewriting = Child(interpreter, [packages], _variables(work, 1), work)
    report(Step(STAGE, f"looking at {subject.model.name}"))
    facts = rewriting.run("look", {"model": str(subject.model)})
    if "problem" in facts:
        raise TuningError(f"weights.{subject.name}: {facts['problem']}", hint=facts["hint"])
    bundle = build()
    report(Step(STAGE, "recording what the examples feed the model"))
    recording = _recorded(project, bundle, subject, interpreter, work, report)
    if wish.quantise or wish.fuse:
        require_real_inputs(recording, subject.name, handler=project.handler)
    elif not recording.varied:
        report(Notice(STAGE, ONE_VALUE.format(subject.name)))
    running = Child(interpreter, [bundle.layer("dependencies").path], _variables(work, threads), work)
    cpu = processor()
    bench = Workbench(
        original=subject.model,
        original_bytes=facts["bytes"],
        calls=recording.calls,
        threads=threads,
        rewriting=rewriting,
        running=running,
        work=work,
        told={
            "vnni": multiplies_bytes_exactly(cpu["machine"], cpu["features"]),
            "calibration": None if wish.calibration is None else str(wish.calibration.absolute()),
        },
    )
    experiment = Experiment(bench, work, wish.rounds, wish.tolerance, report)
    result = _tried(experiment, wish, threads)
    document = manifest(
        subject.origin,
        source_sha256=subject.sha256,
        objective=wish.objective,
        tolerance=wish.tolerance,
        version=facts["version"],
        cpu=cpu,
        rounds=wish.rounds,
        threads=threads,
        default=result.default,
        chosen=result.chosen,
    )
    return Tuned(
        subject=subject,
        wish=wish,
        outcomes=result.outcomes,
        failures=tuple(experiment.failures),
        chosen=result.chosen,
        default=result.default,
        made=experiment.made(result.chosen.variant),
        beside=companions(subject, facts["external"]),
        recording=recording,
        document=document,
    )


@dataclass(frozen=True, slots=True)
class _Result:
    """Every outcome, the one to choose, and the model as it is, measured beside that."""

    outcomes: tuple[Outcome, ...]
    chosen: Outcome
    default: Outcome


def _tried(experiment: Experiment, wish: Wish, threads: int) -> _Result:
    """Measure everything, then the best variant again beside itself with other switches."""
    outcomes = experiment.run(candidates(wish.quantise, fuse=wish.fuse))
    best = choose(outcomes, wish.objective)
    if best.variant == DEFAULT:
        return _Result(tuple(outcomes), best, best)
    again, base, *changed = experiment.run([DEFAULT, best.variant, *refinements(best.variant, cpus=threads)])
    chosen = refined(base, changed, wish.objective)
    if chosen is base:
        return _Result((*outcomes, *changed), best, outcomes[0])
    return _Result((*outcomes, *changed), chosen, again)


def _recorded(
    project: Project,
    bundle: Bundle,
    subject: Subject,
    interpreter: Interpreter,
    work: Path,
    report: Report,
) -> Recording:
    scratch, calls = work / "scratch", work / "calls"
    scratch.mkdir()
    calls.mkdir()
    recording = record(project, bundle, subject, interpreter, tmp=scratch, folder=calls)
    if recording.providers[:1] != (CPU_PROVIDER,):
        report(
            Notice(
                STAGE,
                f"The handler runs {subject.name} on {recording.providers[0]}; what is measured here, and "
                "chosen, is how it runs on the processor.",
            )
        )
    return recording


def _interpreter(target: Target) -> Interpreter:
    if not runs_here(target):
        raise TuningError(f"This machine cannot run what is built for {target.platform}.")
    interpreter = find_interpreter(target.python)
    if interpreter is None:
        raise TuningError(
            f"No Python {target.python} is on this machine to measure with.",
            hint=f"uv python install {target.python}",
        )
    return interpreter


def _variables(work: Path, threads: int) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**inherited, "HOME": str(work), "TMPDIR": str(work), **library_environment(threads)}
