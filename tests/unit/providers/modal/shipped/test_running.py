"""A container in this process: which step is taken by which hook, and what it tells."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.modal_running import Left, asked, run, running_of, settings_of, write_bundle
from tests.fakes.patience import PATIENCE_S

from preheat.errors import ProviderError
from preheat.interface.manifest import Limits
from preheat.runtime.phases import PhaseFailed
from preheat_providers.modal.shipped.jobs.waiting import FunctionJobs
from preheat_providers.modal.shipped.running import Running, import_aside

HANDLER = """
import random
import threading

import preheat

STEPS = []
GO = threading.Event()

class Model(preheat.Handler):
    def setup(self, ctx):
        self.number = random.random()
        STEPS.append("setup")

    def restore(self, ctx):
        self.other = random.random()
        STEPS.append("restore")

    def teardown(self, ctx):
        STEPS.append("teardown")

    def examples(self):
        return ["x"]

    def predict(self, text: str) -> str:
        STEPS.append(text)
        if text == "stuck":
            GO.wait()
        return text
"""
FAILING = """
import preheat

class Model(preheat.Handler):
    def STEP(self, ctx):
        raise RuntimeError("no cage")

    def predict(self, text: str) -> str:
        return text
"""


class Handlers:
    """Writes modules under names of their own, so that no test sees another's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names: list[str] = []

    def write(self, text: str, *, limits: Limits | None = None) -> Path:
        name = f"modal_handler_{len(self.names)}_{id(self)}"
        self.names.append(name)
        folder = write_bundle(self._folder / name, text, f"{name}:Model", limits=limits)
        sys.path.insert(0, str(folder / "code"))
        return folder

    def steps(self) -> list[str]:
        return list(sys.modules[self.names[-1]].STEPS)

    def let_go(self) -> None:
        """Let the predict that is stuck return."""
        sys.modules[self.names[-1]].GO.set()

    def forget(self) -> None:
        for name in self.names:
            sys.modules.pop(name, None)
            sys.path.remove(str(self._folder / name / "code"))


@pytest.fixture
def handlers(tmp_path: Path) -> Iterator[Handlers]:
    made = Handlers(tmp_path)
    yield made
    made.forget()


def no_jobs() -> FunctionJobs:
    def none() -> Any:
        raise AssertionError("no job was spoken of")

    return FunctionJobs(none, none)  # type: ignore[arg-type]


def test_setup_comes_before_the_snapshot_and_all_else_after_it(handlers: Handlers) -> None:
    running, told = running_of(handlers.write(HANDLER), settings_of(snapshot=True))
    running.start_before_snapshot()
    assert handlers.steps() == ["setup"]
    run(running.finish_after_restore())
    assert handlers.steps() == ["setup", "restore", "x"]
    assert [phase["name"] for phase in told[-1]["phases"]] == ["import", "setup", "restore", "warm-up"]
    assert told[-1]["event"] == "ready"


@pytest.mark.parametrize("snapshot", [True, False])
def test_random_numbers_are_other_ones_in_each_restore(handlers: Handlers, snapshot: bool) -> None:
    import random

    random.seed(1)
    expected = random.Random(1)
    running, _ = running_of(handlers.write(HANDLER), settings_of(snapshot=snapshot))
    running.start_before_snapshot()
    run(running.finish_after_restore())
    model = running._model
    assert model is not None
    assert model.handler.number == expected.random()  # type: ignore[attr-defined]
    assert model.handler.other != expected.random()  # type: ignore[attr-defined]


def serve(running: Running, *bodies: bytes) -> list[Any]:
    async def whole() -> list[Any]:
        await running.finish_after_restore()
        application = running.asgi_application(no_jobs())
        answers = [await asked(application, "/invocations", body) for body in bodies]
        await running.on_exit()
        return answers

    running.start_before_snapshot()
    return run(whole())


def test_requests_are_answered_and_teardown_is_the_last_step(handlers: Handlers) -> None:
    running, _ = running_of(handlers.write(HANDLER))
    assert serve(running, b'"a"', b"1")[0] == (200, "a")
    assert handlers.steps()[-1] == "teardown"


@pytest.mark.parametrize("step", ["setup", "restore"])
def test_a_step_that_fails_is_told_and_raised(handlers: Handlers, step: str) -> None:
    running, told = running_of(handlers.write(FAILING.replace("STEP", step)))

    async def start() -> None:
        running.start_before_snapshot()
        await running.finish_after_restore()

    with pytest.raises(PhaseFailed, match="no cage"):
        run(start())
    assert (told[-1]["event"], told[-1]["phase"]) == ("failed", step)
    assert "no cage" in told[-1]["traceback"]
    run(running.on_exit())


def test_a_token_that_is_missing_fails_before_the_model_is_loaded(handlers: Handlers) -> None:
    running, told = running_of(handlers.write(HANDLER), settings_of(door="token"))
    with pytest.raises(ProviderError, match="PREHEAT_TOKEN_SHA256"):
        running.start_before_snapshot()
    assert told[-1]["event"] == "failed"
    assert handlers.names[-1] not in sys.modules


def test_a_predict_that_nothing_stops_makes_the_container_leave_once(handlers: Handlers) -> None:
    """Of several threads: a container with one ends its process, which the functional tests see."""
    left = Left()
    text = HANDLER.replace("    def predict", "    @preheat.threaded(threads=2)\n    def predict")
    folder = handlers.write(text, limits=Limits(timeout_s=0.2))
    running, told = running_of(folder, leave=left)

    async def whole() -> int:
        await running.finish_after_restore()
        application = running.asgi_application(no_jobs())
        try:
            async with asyncio.timeout(PATIENCE_S):
                status, _ = await asked(application, "/invocations", b'"stuck"')
                await left.asked.wait()
        finally:
            handlers.let_go()
        await running.on_exit()
        return int(status)

    running.start_before_snapshot()
    assert run(whole()) == 504
    assert [event["event"] for event in told].count("stuck") == 1


def test_the_lifespan_is_acknowledged_without_the_web_framework(handlers: Handlers) -> None:
    running, _ = running_of(handlers.write(HANDLER))

    async def whole() -> list[str]:
        await running.finish_after_restore()
        application = running.asgi_application(no_jobs())
        received = iter(["lifespan.startup", "lifespan.shutdown"])
        sent: list[str] = []

        async def receive() -> Any:
            return {"type": next(received)}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        await application({"type": "lifespan"}, receive, send)
        await running.on_exit()
        return sent

    running.start_before_snapshot()
    assert run(whole()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_module_that_is_not_there_is_left_to_whoever_needs_it() -> None:
    thread = import_aside(("no_such_module_of_anybody", "json"))
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
