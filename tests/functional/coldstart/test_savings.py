"""What is offered as a saving, of a handler that wastes something on purpose."""

from pathlib import Path

import pytest
from tests.functional.coldstart.conftest import Made

from preheat.coldstart.measuring import measure
from preheat.coldstart.model import Result
from preheat.coldstart.rounds import Asked
from preheat.progress import quiet

LOOPS = {"idle": 20_000_000, "needed": 1_000_000, "noticed": 1_000_000}
"""What is offered takes longer than others hold up a start; the rest is just long enough to be tried."""
SOURCE = """
    import idle
    import needed
    import noticed
    import preheat

    class Model(preheat.Handler):
        def examples(self):
            return ["a"]

        def predict(self, text: str) -> str:
            try:
                return noticed.shout(needed.shout(text))
            except RuntimeError:
                return "another answer"

        def never(self):
            return idle.shout("")
"""


def lay(folder: Path) -> None:
    for name, loops in LOOPS.items():
        (folder / f"{name}.py").write_text(f"sum(range({loops}))\ndef shout(text): return text.upper()\n")


@pytest.fixture(scope="module")
def result(made: Made) -> Result:
    return measure(made(SOURCE, packages=lay), Asked(runs=3), report=quiet)


def test_an_import_that_no_answer_needs_is_offered(result: Result) -> None:
    (saving,) = [each for each in result.savings or () if each.what == "import idle"]
    assert "import it in the function that does" in saving.how
    assert 0 < saving.ms < result.figures[0].total_ms.p95


def test_an_import_without_which_the_answer_is_another_one_is_not_offered(result: Result) -> None:
    offered = {saving.what for saving in result.savings or ()}
    assert not offered & {"import needed", "import noticed"}
