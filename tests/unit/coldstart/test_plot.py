from pathlib import Path

import pytest
from matplotlib.patches import Rectangle
from tests.fakes.starts import RESULT

from preheat.coldstart.model import Result
from preheat.coldstart.plot import draw, figure_of
from preheat.errors import PreheatError


def bars(result: Result) -> list[tuple[float, float]]:
    """Return where each bar begins and how long it is, from the top."""
    (axes,) = figure_of(result).axes
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return [(box.get_x(), box.get_width()) for box in boxes]


def test_every_phase_has_a_bar_where_its_time_was() -> None:
    assert bars(RESULT) == [(phase.start_ms, phase.ms) for phase in RESULT.phases]


def test_the_first_phase_is_at_the_top_and_parts_are_set_in() -> None:
    (axes,) = figure_of(RESULT).axes
    bottom, top = axes.get_ylim()
    assert bottom > top
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["interpreter", "setup", "   onnxruntime.InferenceSession", "first answer"]


def test_the_axis_holds_every_bar_and_its_number() -> None:
    (axes,) = figure_of(RESULT).axes
    assert axes.get_xlim()[1] > 100.0


def test_the_title_has_the_figures_and_their_condition() -> None:
    (axes,) = figure_of(RESULT).axes
    title = axes.get_title(loc="left")
    assert title == "demo on local: 100 ms to the first answer (p95 120 ms), warm page cache, all cores"


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_the_suffix_says_the_format(tmp_path: Path, suffix: str, start: bytes) -> None:
    file = tmp_path / f"cold.{suffix}"
    draw(RESULT, file)
    assert file.read_bytes().startswith(start)


def test_a_file_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "cold.svg").mkdir()
    with pytest.raises(PreheatError, match=r"cold\.svg cannot be written: Is a directory"):
        draw(RESULT, tmp_path / "cold.svg")
