import asyncio
import random
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.clock import Ticks
from tests.fakes.models import model_of

from preheat import Context, Handler
from preheat.interface.manifest import Manifest
from preheat.interface.starting import START
from preheat.runtime.beginning import Place
from preheat.runtime.loader import load, load_after_fork, load_before_fork, restore, warm_up
from preheat.runtime.phases import PhaseClock, PhaseFailed

SOURCE = """
import preheat

class Model(preheat.Handler):
    done = ()
    def setup(self, ctx):
        self.done += ("setup", ctx.name, ctx.stage, ctx.provider, ctx.release, ctx.cpus)
        self.done += (ctx.weights["model"].read_bytes(),)
    def restore(self, ctx): self.done += ("restore",)
    def examples(self): return [1, 2]
    def predict(self, number: int) -> int:
        self.done += (number,)
        return number
"""


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def place(folder: Path) -> Place:
    return Place(
        code=folder,
        weights=folder,
        name="demo",
        stage="dev",
        provider="local",
        release="3",
        tmp=folder,
        cpus=0.25,
    )


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"handler_{tmp_path.name.replace('-', '_')}"
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "weights.bin").write_bytes(b"heavy")
    (tmp_path / f"{name}.py").write_text(SOURCE)
    return name


def test_loading_takes_every_step_in_order_and_times_it(tmp_path: Path, module: str) -> None:
    clock = PhaseClock(Ticks())
    manifest = Manifest(name="demo", handler=f"{module}:Model", weights={"model": "weights.bin"})
    model = load(place(tmp_path), manifest, clock, run)
    assert model.handler.done == (  # type: ignore[attr-defined]
        *("setup", "demo", "dev", "local", "3", 1.0, b"heavy"),
        "restore",
        1,
        2,
    )
    assert [(phase.name, phase.ms) for phase in clock.phases] == [
        ("import", 2000.0),  # the class, and what it takes and gives
        ("setup", 1000.0),
        ("restore", 1000.0),
        ("warm-up", 1000.0),
    ]
    assert model.overrides_restore
    del sys.modules[module]


STARTING = """
import preheat
from preheat.interface.starting import START

WITHIN = START.context

class Model(preheat.Handler):
    @classmethod
    def typed(cls, ctx):
        kind = int if ctx.weights["model"].read_bytes() == b"heavy" else str
        def predict(self, value): return value
        predict.__annotations__ = {"value": kind, "return": kind}
        return type(cls.__name__, (cls,), {"predict": predict})
    def setup(self, ctx): self.settled = [START.settled]
    def restore(self, ctx): self.settled.append(START.settled)
"""


def test_a_start_knows_its_context_before_the_import_and_is_settled_when_all_is_warm(
    tmp_path: Path, module: str
) -> None:
    (tmp_path / f"{module}.py").write_text(STARTING)
    manifest = Manifest(name="demo", handler=f"{module}:Model", weights={"model": "weights.bin"})
    model = load_before_fork(place(tmp_path), manifest, PhaseClock())
    assert sys.modules[module].WITHIN is model.context
    assert [START.settled] == [False], "a fork may follow"
    model = load_after_fork(model, PhaseClock(), run)
    assert model.handler.settled == [False, False]  # type: ignore[attr-defined]
    assert START.settled
    START.settled = False
    load(place(tmp_path), manifest, PhaseClock(), run)
    assert START.settled


def test_a_class_whose_types_only_its_weights_know_says_which_to_serve(tmp_path: Path, module: str) -> None:
    (tmp_path / f"{module}.py").write_text(STARTING)
    manifest = Manifest(name="demo", handler=f"{module}:Model", weights={"model": "weights.bin"})
    assert (
        load_before_fork(place(tmp_path), manifest, PhaseClock()).contract.input.schema["type"] == "integer"
    )
    (tmp_path / "weights.bin").write_bytes(b"light")
    assert load_before_fork(place(tmp_path), manifest, PhaseClock()).contract.input.schema["type"] == "string"


def test_a_weight_that_is_not_there_is_named(tmp_path: Path, module: str) -> None:
    manifest = Manifest(name="demo", handler=f"{module}:Model", weights={"model": "missing.bin"})
    with pytest.raises(PhaseFailed, match=r"missing\.bin"):
        load(place(tmp_path), manifest, PhaseClock(), run)


def test_random_numbers_are_not_those_of_the_snapshot() -> None:
    class Drawn(Handler):
        def restore(self, ctx: Context) -> None:
            self.drawn = random.random()

        def predict(self, number: int) -> int:
            return number

    model = model_of(Drawn)
    random.seed(1)
    first = random.random()
    random.seed(1)
    restore(model, PhaseClock())
    assert model.handler.drawn != first  # type: ignore[attr-defined]


class Waits(Handler):
    loops: list[asyncio.AbstractEventLoop]

    def setup(self, ctx: Context) -> None:
        self.loops = []

    def examples(self) -> list[int]:
        return [1, 2]

    async def predict(self, number: int) -> int:
        self.loops.append(asyncio.get_running_loop())
        return number


def test_an_async_handler_warms_up_on_the_loop_it_is_given() -> None:
    model = model_of(Waits)
    model.handler.setup(model.context)
    with asyncio.Runner() as runner:
        warm_up(model, PhaseClock(), runner.run)
        assert model.handler.loops == [runner.get_loop()] * 2  # type: ignore[attr-defined]
