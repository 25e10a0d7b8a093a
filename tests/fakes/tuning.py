"""A bench without processes, and outcomes to choose from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import onnxruntime

from preheat.project.model import Project, Weights
from preheat.tuning.bench import Made
from preheat.tuning.child import TaskFailed
from preheat.tuning.choice import Deviation, Figures, Outcome
from preheat.tuning.cpu import processor
from preheat.tuning.experiment import Failure
from preheat.tuning.manifest import manifest
from preheat.tuning.recording import Recording
from preheat.tuning.subject import Subject
from preheat.tuning.tune import Tuned, Wish
from preheat.tuning.variants import DEFAULT, Graph, Settings, Variant

SAME = Deviation(identical=True, max_abs=0.0, max_rel=0.0, cosine=1.0)


def figures(load_ms: float = 100.0, first_ms: float = 4.0, steady_ms: float = 2.0) -> Figures:
    """Return the figures of one kind of session."""
    return Figures(load_ms=load_ms, first_ms=first_ms, steady_ms=steady_ms, rss_bytes=200)


def off_by(max_rel: float, cosine: float = 1.0) -> Deviation:
    """Return a deviation of answers that are not the same bits."""
    return Deviation(identical=False, max_abs=max_rel, max_rel=max_rel, cosine=cosine)


def outcome(
    name: str,
    *,
    cold_ms: float = 100.0,
    steady_ms: float = 2.0,
    size: int = 1000,
    rejected: str | None = None,
    reference_only: str | None = None,
) -> Outcome:
    """Return the outcome of a variant of its own graph."""
    variant = Variant(name=name, graph=Graph(name=name), load=Settings(), reference_only=reference_only)
    found = figures(cold_ms - 4.0, 4.0, steady_ms)
    return Outcome(variant=variant, bytes=size, load=found, settled=found, deviation=SAME, rejected=rejected)


@dataclass
class FakeBench:
    """Answers from tables: figures by graph and packing, deviations by pair of answers.

    `broken` graphs cannot be made, `unusable` ones not be opened. `starts` lists what was measured.
    """

    table: Mapping[tuple[str, bool], Figures] = field(default_factory=dict)
    deviations: Mapping[tuple[str, str], Deviation] = field(default_factory=dict)
    broken: Sequence[str] = ()
    unusable: Sequence[str] = ()
    made: list[str] = field(default_factory=list)
    starts: list[tuple[str, Settings]] = field(default_factory=list)
    _wrote: dict[Path, str] = field(default_factory=dict)

    def make(self, graph: Graph) -> Made:
        if graph.name in self.broken:
            raise TaskFailed(f"{graph.name} is beyond us", "")
        self.made.append(graph.name)
        return Made(folder=Path(graph.name), bytes=1000)

    def measure(self, made: Made, settings: Settings, outputs: Path | None) -> Figures:
        name = made.folder.name
        if name in self.unusable:
            raise TaskFailed("no such kernel", "")
        self.starts.append((name, settings))
        if outputs is not None:
            self._wrote[outputs] = f"{name}{'' if settings.packing else ' unpacked'}"
        return self.table.get((name, settings.packing), figures())

    def compare(self, pairs: Sequence[tuple[Path, Path]]) -> list[Deviation]:
        return [self.deviations.get((self._wrote[one], self._wrote[other]), SAME) for one, other in pairs]


def tuned_of(
    project: Project,
    chosen: Variant,
    *,
    made: Path,
    origin: Weights,
    tolerance: float = 0.01,
    beside: Sequence[Path] = (),
    by_loader: bool = True,
    swap: Deviation | None = None,
    failures: Sequence[Failure] = (),
) -> Tuned:
    """Return what `tune` finds for `origin`, where `chosen` of the files in `made` is best."""
    place = project.root / origin.source.removeprefix("file:")
    subject = Subject(
        name=origin.name,
        origin=origin,
        folder=place.parent if place.is_file() else place,
        model=place,
        sha256="ab",
        model_sha256="ab",
    )
    default = outcome("default", cold_ms=100)
    default = replace(default, variant=DEFAULT)
    best = default
    if chosen != DEFAULT:
        quick = figures(10, 5, 1.0)
        best = Outcome(variant=chosen, bytes=900, load=quick, settled=quick, deviation=SAME, swap=swap)
    wish = Wish(tolerance=tolerance)
    outcomes = (default,) if best is default else (default, best)
    document = manifest(
        origin,
        source_sha256="ab",
        objective=wish.objective,
        tolerance=tolerance,
        version=onnxruntime.__version__,
        cpu=processor(),
        rounds=wish.rounds,
        threads=1,
        default=default,
        chosen=best,
    )
    return Tuned(
        subject=subject,
        wish=wish,
        outcomes=outcomes,
        failures=tuple(failures),
        chosen=best,
        default=default,
        made=Made(folder=made, bytes=900),
        beside=tuple(beside),
        recording=Recording(
            calls=({},), asked="handler.py:7", by_loader=by_loader, varied=True, providers=("CPU",)
        ),
        document=document,
    )
