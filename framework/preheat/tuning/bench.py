"""Makes graphs and times sessions, each in a process of its own. Writes below one working folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from preheat.errors import TuningError
from preheat.tuning.child import Child
from preheat.tuning.choice import Deviation, Figures
from preheat.tuning.variants import Graph, Settings, Step

STEADY_S = 0.25
"""How long one process goes on calling a session after its first answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A graph on disk."""

    folder: Path
    bytes: int


class Bench(Protocol):
    """What an experiment needs; TaskFailed says that one variant cannot be had."""

    def make(self, graph: Graph) -> Made:
        """Return the files of `graph`."""
        ...

    def measure(self, made: Made, settings: Settings, outputs: Path | None) -> Figures:
        """Open a session in a fresh process and call it; its answers go to `outputs`."""
        ...

    def compare(self, pairs: Sequence[tuple[Path, Path]]) -> list[Deviation]:
        """Return how far the second answers of each pair are from the first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """The real bench. `rewriting` has the packages that make graphs, `running` those of the bundle."""

    original: Path
    original_bytes: int
    calls: Sequence[Mapping[str, Any]]
    threads: int
    rewriting: Child
    running: Child
    work: Path
    told: Mapping[str, Any] = field(default_factory=dict)
    """What every step is told beside its own arguments."""
    _made: dict[tuple[str, ...], Path] = field(default_factory=dict)

    def make(self, graph: Graph) -> Made:
        """Take the steps of `graph` that no other graph has taken before."""
        if not graph.steps:
            return Made(folder=self.original.parent, bytes=self.original_bytes)
        model = self.original
        taken: tuple[str, ...] = ()
        folder = self.work
        for step in graph.steps:
            taken = (*taken, f"{step.name}{sorted(step.arguments.items())}")
            if taken not in self._made:
                self._made[taken] = self._take(step, model, self.work / f"graph{len(self._made)}")
            folder = self._made[taken]
            model = folder / "model.onnx"
        return Made(folder=folder, bytes=sum(path.stat().st_size for path in folder.iterdir()))

    def measure(self, made: Made, settings: Settings, outputs: Path | None) -> Figures:
        """Open a session in a fresh process."""
        opened = settings.document()
        model = self.original if made.folder == self.original.parent else made.folder / settings.file
        answer = self.running.run(
            "measure",
            {
                "model": str(model),
                "options": opened["options"],
                "entries": opened["entries"],
                "threads": self.threads,
                "calls": list(self.calls),
                "seconds": STEADY_S,
                "outputs": None if outputs is None else str(outputs),
            },
        )
        return Figures(**answer)

    def compare(self, pairs: Sequence[tuple[Path, Path]]) -> list[Deviation]:
        """Compare in a process that has numpy."""
        answer = self.running.run("compare", {"pairs": [[str(one), str(other)] for one, other in pairs]})
        return [Deviation(**each) for each in answer["deviations"]]

    def _take(self, step: Step, model: Path, out: Path) -> Path:
        out.mkdir()
        answer = self.rewriting.run(
            "quantise" if step.name == "quantise" else "make",
            {**self.told, "step": step.name, **step.arguments, "model": str(model), "out": str(out)},
        )
        if "problem" in answer:
            raise TuningError(answer["problem"], hint=answer["hint"])
        return out
