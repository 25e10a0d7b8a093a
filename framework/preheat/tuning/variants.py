"""What is tried, as data: graphs that are made once, and ways to open them. Touches nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

Level = Literal["disable", "basic", "extended", "all"]
Objective = Literal["cold", "throughput", "size"]
Quantisation = Literal["int8", "int8-per-channel", "static", "float16", "int4", "int8-weights"]
StepName = Literal["optimise", "ort", "quantise", "fuse", "slim"]

QUANTISATIONS: tuple[Quantisation, ...] = (
    "int8",
    "int8-per-channel",
    "static",
    "float16",
    "int4",
    "int8-weights",
)
OBJECTIVES: tuple[Objective, ...] = ("cold", "throughput", "size")
OF_BYTES: frozenset[Quantisation] = frozenset({"int8", "int8-per-channel", "static"})
"""Those whose products are of unsigned by signed bytes; x86 without VNNI saturates their sums."""
MODEL, DATA, PREPACKED, ORT = "model.onnx", "model.data", "prepacked.onnx", "model.ort"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one session is opened. `threads` is None where the loader takes what the worker may use.

    `exact_bytes` keeps all bits of sums of bytes on processors that would saturate them, and is slower there:
    onnxruntime's kOrtSessionOptionsAvx2PrecisionMode, which takes the level extended or all.
    """

    file: str = MODEL
    level: Level = "all"
    packing: bool = True
    spinning: bool = True
    arena: bool = True
    threads: int | None = None
    exact_bytes: bool = False

    def document(self) -> dict[str, Any]:
        """Return the file, the attributes of SessionOptions, and its configuration entries."""
        options: dict[str, Any] = {
            "graph_optimization_level": self.level,
            "intra_op_num_threads": self.threads,
        }
        if not self.arena:
            options["enable_cpu_mem_arena"] = False
        entries = {} if self.packing else {"session.disable_prepacking": "1"}
        if not self.spinning:
            entries["session.intra_op.allow_spinning"] = "0"
        if self.exact_bytes:
            entries["session.x64quantprecision"] = "1"
        return {"file": self.file, "options": options, "entries": entries}


@dataclass(frozen=True, slots=True)
class Step:
    """One rewriting of a model, with what it is told."""

    name: StepName
    arguments: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A model as files: the steps from the original. `lossy` ones are meant to answer a little otherwise."""

    name: str
    steps: tuple[Step, ...] = ()
    lossy: bool = False

    @property
    def of_bytes(self) -> bool:
        """Whether its matrix products are of bytes."""
        return any(step.arguments.get("kind") in OF_BYTES for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A graph and how it is opened: `load` for the first answer, `then` for those after it.

    `reference_only` says why it can be measured and not be chosen.
    """

    name: str
    graph: Graph
    load: Settings
    then: Settings | None = None
    reference_only: str | None = None

    @property
    def settled(self) -> Settings:
        """How the session is opened that gives most of the answers."""
        return self.then or self.load


def _optimise(level: Level, *, packed: bool = False) -> Step:
    return Step("optimise", MappingProxyType({"level": level, "packed": packed}))


DEFAULT = Variant(name="default", graph=Graph(name="original"), load=Settings())
"""The model as it is, opened as onnxruntime does by itself."""
_MAPPED = Variant(
    name="external data", graph=Graph(name="external", steps=(_optimise("disable"),)), load=Settings()
)
_SAVED = Variant(
    name="extended, saved packing",
    graph=Graph(name="saved", steps=(_optimise("extended", packed=True),)),
    load=Settings(file=PREPACKED, level="disable"),
)
_ORT = Variant(
    name="ort format",
    graph=Graph(name="ort", steps=(Step("ort", MappingProxyType({"level": "extended"})),)),
    load=Settings(file=ORT, level="disable"),
    reference_only="the format is tied to this version of onnxruntime",
)


def candidates(quantise: Sequence[Quantisation], *, fuse: bool) -> tuple[Variant, ...]:
    """Return what is measured for every model, and what the user asked for."""
    graphs = [Graph(name=level, steps=(_optimise(level),)) for level in ("basic", "extended")]
    if fuse:
        graphs.append(Graph(name="fused", steps=(Step("fuse"), _optimise("extended"))))
        graphs.append(Graph(name="slim", steps=(Step("slim"), _optimise("extended"))))
    graphs += [_quantised(kind) for kind in dict.fromkeys(quantise)]
    opened = [variant for graph in graphs for variant in _openings(graph)]
    return (DEFAULT, _MAPPED, *opened, _SAVED, _ORT)


def refinements(best: Variant, *, cpus: int) -> tuple[Variant, ...]:
    """Return the best variant with one switch of its sessions changed each."""
    changes: list[tuple[str, dict[str, Any]]] = [("no arena", {"arena": False})]
    if cpus > 1:  # with one thread there is nobody to wait for
        changes += [("no spinning", {"spinning": False}), ("one thread", {"threads": 1})]
    return tuple(
        replace(
            best,
            name=f"{best.name}, {name}",
            load=replace(best.load, **change),
            then=best.then and replace(best.then, **change),
        )
        for name, change in changes
    )


def _quantised(kind: Quantisation) -> Graph:
    steps = (_optimise("basic"), Step("quantise", MappingProxyType({"kind": kind})))
    if kind == "float16":
        # onnxruntime has few float16 kernels for processors: optimising would store the weights widened.
        return Graph(name=kind, steps=steps, lossy=True)
    return Graph(name=kind, steps=(*steps, _optimise("extended")), lossy=True)


def _openings(graph: Graph) -> Iterator[Variant]:
    baked: Level = "disable" if graph.steps[-1].name == "optimise" else "extended"
    packed = Settings(level=baked)
    unpacked = replace(packed, packing=False)
    yield Variant(name=graph.name, graph=graph, load=packed)
    yield Variant(name=f"{graph.name}, unpacked", graph=graph, load=unpacked)
    yield Variant(name=f"{graph.name}, answer first", graph=graph, load=unpacked, then=packed)
