"""What the bench asks its processes for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from preheat.bundle.interpreter import Interpreter
from preheat.errors import TuningError
from preheat.tuning.bench import STEADY_S, Workbench
from preheat.tuning.child import Child, Task
from preheat.tuning.variants import DEFAULT, Graph, Settings, candidates

FIGURES = {"load_ms": 1.0, "first_ms": 2.0, "steady_ms": 3.0, "rss_bytes": 4}
INT8 = next(each for each in candidates(("int8",), fuse=False) if each.graph.name == "int8")
BASIC = next(each for each in candidates((), fuse=False) if each.graph.name == "basic")


@dataclass(frozen=True)
class Asked(Child):
    """Answers from a table by task, and keeps what it was asked."""

    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tasks: list[tuple[Task, Mapping[str, Any]]] = field(default_factory=list)

    def run(self, task: Task, document: Mapping[str, Any], *, limit_s: float = 0) -> dict[str, Any]:
        self.tasks.append((task, document))
        if "out" in document:
            (Path(document["out"]) / "model.onnx").write_bytes(b"12345")
        return dict(self.answers.get(task, {}))


def asked(tmp_path: Path, **answers: Mapping[str, Any]) -> Asked:
    return Asked(Interpreter(Path("python"), "3", "cpython"), [], {}, tmp_path, answers)


def bench(tmp_path: Path, rewriting: Child, running: Child) -> Workbench:
    (tmp_path / "original").mkdir()
    model = tmp_path / "original" / "bert.onnx"
    model.write_bytes(b"123")
    return Workbench(
        original=model,
        original_bytes=3,
        calls=[{"file": "call.npz"}],
        threads=2,
        rewriting=rewriting,
        running=running,
        work=tmp_path,
        told={"vnni": True},
    )


def test_a_step_that_two_graphs_begin_with_is_taken_once(tmp_path: Path) -> None:
    rewriting = asked(tmp_path)
    work = bench(tmp_path, rewriting, asked(tmp_path))
    for variant in (BASIC, INT8):
        work.make(variant.graph)
    assert [(task, document["step"]) for task, document in rewriting.tasks] == [
        ("make", "optimise"),
        ("quantise", "quantise"),
        ("make", "optimise"),
    ]
    assert [document["level"] for task, document in rewriting.tasks if task == "make"] == [
        "basic",
        "extended",
    ]


def test_each_step_goes_on_from_the_one_before(tmp_path: Path) -> None:
    rewriting = asked(tmp_path)
    made = bench(tmp_path, rewriting, asked(tmp_path)).make(INT8.graph)
    models = [document["model"] for _, document in rewriting.tasks]
    outs = [Path(document["out"]) for _, document in rewriting.tasks]
    assert models == [
        str(tmp_path / "original" / "bert.onnx"),
        *(str(out / "model.onnx") for out in outs[:-1]),
    ]
    assert (made.folder, made.bytes) == (outs[-1], 5)
    assert rewriting.tasks[1][1]["vnni"] is True


def test_what_the_user_gave_wrong_ends_it_with_what_to_do(tmp_path: Path) -> None:
    rewriting = asked(tmp_path, quantise={"problem": "x is float64", "hint": "numpy.savez(...)"})
    with pytest.raises(TuningError) as raised:
        bench(tmp_path, rewriting, asked(tmp_path)).make(INT8.graph)
    assert (raised.value.message, raised.value.hint) == ("x is float64", "numpy.savez(...)")


def test_the_model_as_it_is_is_opened_where_it_lies(tmp_path: Path) -> None:
    running = asked(tmp_path, measure=FIGURES)
    work = bench(tmp_path, asked(tmp_path), running)
    made = work.make(Graph(name="original"))
    found = work.measure(made, DEFAULT.load, tmp_path / "answers.npz")
    assert (made.bytes, found.load_ms) == (3, 1.0)
    ((task, document),) = running.tasks
    assert (task, document["model"], document["outputs"]) == (
        "measure",
        str(tmp_path / "original" / "bert.onnx"),
        str(tmp_path / "answers.npz"),
    )


def test_a_graph_is_opened_by_the_file_and_options_of_its_settings(tmp_path: Path) -> None:
    running = asked(tmp_path, measure=FIGURES)
    work = bench(tmp_path, asked(tmp_path), running)
    made = work.make(BASIC.graph)
    work.measure(made, Settings(level="disable", packing=False), None)
    ((_, document),) = running.tasks
    assert document["model"] == str(made.folder / "model.onnx")
    assert document["entries"] == {"session.disable_prepacking": "1"}
    assert (document["threads"], document["seconds"], document["outputs"]) == (2, STEADY_S, None)
