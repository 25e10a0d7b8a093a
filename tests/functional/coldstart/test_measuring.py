"""A worker of this machine, measured once with all that there is; nothing is said of how long it takes."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.fakes.fake_onnxruntime import lay_onnxruntime
from tests.fakes.rehearsing import UPPER
from tests.functional.coldstart.conftest import Made

from preheat.coldstart.measuring import measure
from preheat.coldstart.model import Condition, Result
from preheat.coldstart.rounds import Asked
from preheat.coldstart.subject import Earlier, Subject
from preheat.progress import Amount, Event

CONDITIONS = (Condition(), Condition("cold", "one"))
SOURCE = """
    import heavy
    import onnxruntime
    import preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            self.sessions = [onnxruntime.InferenceSession(__file__) for _ in range(2)]

        def examples(self):
            return ["a"]

        def predict(self, text: str) -> str:
            return text.upper()
"""


@dataclass
class Measured:
    result: Result
    told: list[Event]
    then: Subject


def lay(folder: Path) -> None:
    lay_onnxruntime(folder)
    (folder / "heavy.py").write_text("sum(range(1_000_000))")


@pytest.fixture(scope="module")
def measured(made: Made) -> Measured:
    told: list[Event] = []
    then = made(UPPER)
    asked = Asked(conditions=CONDITIONS, runs=2, savings=False)
    result = measure(made(SOURCE, packages=lay), asked, report=told.append, earlier=Earlier(3, then))
    return Measured(result, told, then)


def test_a_start_is_told_in_phases(measured: Measured) -> None:
    names = [phase.name for phase in measured.result.phases]
    assert names[:3] == ["interpreter", "preheat", "import"]
    assert names[-2:] == ["first answer", "second answer"]


def test_figures_are_of_a_process_and_more_than_the_reference(measured: Measured) -> None:
    figures = measured.result.figures[0]
    assert 0 < figures.ready_ms < figures.total_ms.p50 <= figures.total_ms.p95
    assert figures.ratio > 1
    assert figures.rss_bytes > 1_000_000
    assert figures.cpu_ms > 0


def test_every_condition_has_its_figures(measured: Measured) -> None:
    assert tuple(each.condition for each in measured.result.figures) == CONDITIONS
    assert set(measured.result.weights_read_ms) == {"warm", "cold"}


def test_a_cold_start_reads_from_disk_and_leaves_the_next_one_warm(measured: Measured, home: Path) -> None:
    if not os.major(home.stat().st_dev):
        pytest.skip("no disk below this folder: what it holds is nowhere but in memory")
    warm, cold = measured.result.figures
    assert cold.read_bytes
    assert warm.read_bytes is not None
    assert warm.read_bytes < cold.read_bytes / 10, "a page or two may have been dropped since"


def test_every_session_is_a_part_of_setup(measured: Measured) -> None:
    parts = [(phase.name, phase.within) for phase in measured.result.phases if phase.within]
    assert parts == [("onnxruntime.InferenceSession", "setup")] * 2


def test_who_imports_what_is_told(measured: Measured) -> None:
    asked_by = {each.name: each.asked_by for each in measured.result.imports}
    assert asked_by["heavy"] == "app"
    assert asked_by["asyncio"] != "app"


def test_an_earlier_release_is_started_in_the_same_rounds(measured: Measured) -> None:
    comparison = measured.result.comparison
    assert comparison is not None
    assert (comparison.release, comparison.digest) == (3, measured.then.bundle.digest)
    assert comparison.ratio > 0
    names = {phase.name for phase in comparison.phases}
    assert "second answer" in names
    assert "onnxruntime.InferenceSession" not in names  # it is its own start that is told


def test_progress_is_told_round_by_round(measured: Measured) -> None:
    amounts = [event for event in measured.told if isinstance(event, Amount)]
    assert [(each.done, each.total) for each in amounts] == [(0, 2), (1, 2)]
