from pathlib import Path

import pytest
from tests.fakes.warming import two_choices

from preheat.errors import PreheatError
from preheat.warming.plot import draw


def test_a_plan_is_drawn_with_the_names_of_its_frontier(tmp_path: Path) -> None:
    draw(two_choices(), tmp_path / "warm.svg", title="demo on local", p99_ms=100)
    text = (tmp_path / "warm.svg").read_text()
    assert "demo on local" in text
    assert "frontier" in text


@pytest.mark.parametrize("name", ["warm.docx", "none/warm.svg"])
def test_what_cannot_be_drawn_says_why(tmp_path: Path, name: str) -> None:
    with pytest.raises(PreheatError, match="cannot be drawn"):
        draw(two_choices(), tmp_path / name, title="demo")
