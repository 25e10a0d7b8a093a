"""The first step of a start."""

import importlib
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import pytest

from preheat import Context
from preheat.errors import ProviderError
from preheat.interface.starting import START
from preheat.runtime.beginning import import_class, read_ahead
from preheat.runtime.phases import PhaseClock, PhaseFailed

HANDLER = """
import sys
from preheat import Handler
from preheat.interface.starting import START

WITHIN = START.context
BEFORE = frozenset(sys.modules)

class Model(Handler):
    def predict(self, number: int) -> int: return number
"""

OPENS = (
    HANDLER
    + """
import threading

NAMES = list(START.context.weights)
OPENED = []
OPENING = threading.Thread(target=lambda: OPENED.append(START.context.weights["model"].read_bytes()))
OPENING.start()
import imported_beside

assert not OPENED
imported_beside.last()
"""
)


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "first_of_all.py").write_text(HANDLER)
    (tmp_path / "weights.bin").write_bytes(b"heavy")
    weights = {"model": tmp_path / "weights.bin"}
    return Context(name="demo", stage="dev", provider="local", release="1", weights=weights, tmp=tmp_path)


def test_the_handlers_module_is_imported_within_its_start(context: Context) -> None:
    found = import_class("first_of_all:Model", context, PhaseClock())
    module = sys.modules.pop("first_of_all")
    assert (found, module.WITHIN) == (module.Model, context)
    assert START.context is context


def test_weights_on_their_way_are_waited_for_beside_the_import(context: Context, tmp_path: Path) -> None:
    arrived: Future[None] = Future()
    (tmp_path / "imported_beside.py").write_text("def last(): ARRIVED.set_result(None)")
    (tmp_path / "opens.py").write_text(OPENS)
    beside = importlib.import_module("imported_beside")
    beside.__dict__["ARRIVED"] = arrived
    import_class("opens:Model", context, PhaseClock(), arrived)
    module = sys.modules.pop("opens")
    del sys.modules["imported_beside"]
    module.OPENING.join()
    assert (module.NAMES, module.OPENED) == (["model"], [b"heavy"])
    assert START.context is context


def test_weights_that_do_not_arrive_end_the_start_and_what_waits_for_them(context: Context) -> None:
    arrived: Future[None] = Future()
    arrived.set_exception(ProviderError("the network is gone"))
    with pytest.raises(ProviderError, match="the network is gone"):
        import_class("first_of_all:Model", context, PhaseClock(), arrived)
    weights = sys.modules.pop("first_of_all").WITHIN.weights
    assert "model" in weights
    with pytest.raises(ProviderError, match="the network is gone"):
        weights["model"]


def test_it_comes_before_what_serves_it(context: Context) -> None:
    code = (
        "from pathlib import Path\n"
        "from preheat import Context\n"
        "from preheat.runtime.beginning import import_class\n"
        "from preheat.runtime.phases import PhaseClock\n"
        "context = Context(name='', stage='', provider='', release='', tmp=Path())\n"
        "import_class('first_of_all:Model', context, PhaseClock())\n"
        "import first_of_all\n"
        "print(*sorted(name for name in first_of_all.BEFORE if name.startswith('preheat.')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=context.tmp, capture_output=True, text=True, check=True
    )
    imported = {name for name in done.stdout.split() if name.startswith("preheat.runtime.")}
    assert imported == {"preheat.runtime.beginning", "preheat.runtime.phases"}
    assert "preheat.interface.contract" not in done.stdout


def test_a_failure_is_one_of_the_import(context: Context, tmp_path: Path) -> None:
    (tmp_path / "second_of_all.py").write_text("1 / 0")
    with pytest.raises(PhaseFailed, match="ZeroDivisionError") as raised:
        import_class("second_of_all:Model", context, PhaseClock())
    assert raised.value.phase == "import"


def test_folders_of_weights_are_read_ahead_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(b"x")
    read_ahead({"model": tmp_path})
