"""SerialEngine: the answers are ModelEngine's, and the deadline interrupts predict."""

import asyncio
import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.fakes.models import model_of
from tests.fakes.patience import PATIENCE_S

from preheat import BadInput, Handler, batched
from preheat.interface.manifest import Limits
from preheat.interface.message import Request, Response
from preheat.runtime.engine import ModelEngine
from preheat.runtime.model_thread import ModelThread
from preheat.runtime.serial import Overdue, SerialEngine, settled

ROOT = Path(__file__).parents[3]


class ManualAlarm:
    """Rings when predict of the test says so."""

    def __init__(self) -> None:
        self.armed: list[float] = []
        self.on = False

    def arm(self, seconds: float) -> None:
        self.armed.append(seconds)
        self.on = True

    def disarm(self) -> None:
        self.on = False

    def ring(self) -> None:
        if self.on:
            raise Overdue


class Model(Handler):
    alarm: ManualAlarm

    def predict(self, how: str) -> int:
        match how:
            case "value":
                raise ValueError("secret detail")
            case "bad":
                raise BadInput("the picture has no text")
            case "exit":
                raise SystemExit(3)
            case "memory":
                raise MemoryError
            case "stop":
                raise StopIteration
            case "wrong":
                return "not a number"  # type: ignore[return-value]
            case "late":
                self.swallow()
        return len(how)

    def swallow(self) -> None:
        try:
            self.alarm.ring()
        except Exception:  # noqa: BLE001 - what handlers do
            return


class Squares(Handler):
    @batched(max_size=4)
    def predict(self, numbers: list[int]) -> list[int]:
        if numbers == [7]:
            return [ValueError("no sevens")]  # type: ignore[list-item]
        return [number * number for number in numbers] if numbers != [13] else []


def engine_of(handler: type[Handler], **options: Any) -> tuple[SerialEngine, ManualAlarm]:
    alarm = ManualAlarm()
    model = model_of(handler, limits=options.pop("limits", Limits(timeout_s=9)))
    model.handler.alarm = alarm  # type: ignore[attr-defined]
    return SerialEngine(model, alarm, **options), alarm


def ask(engine: SerialEngine, value: object, **fields: Any) -> Response:
    return settled(engine.invoke(Request(id="r1", body=json.dumps(value).encode(), **fields)))


def asked_elsewhere(handler: type[Handler], value: object) -> Response:
    async def main() -> Response:
        thread = ModelThread()
        threading.Thread(target=thread.run, daemon=True).start()
        engine = ModelEngine(model_of(handler), thread, memory_mb=512, log=lambda _: None)
        response = await engine.invoke(Request(id="r1", body=json.dumps(value).encode()))
        thread.shutdown()
        return response

    return asyncio.run(main())


@pytest.mark.parametrize("how", ["fine", "value", "bad", "exit", "memory", "stop", "wrong", 3])
def test_every_outcome_is_answered_as_by_the_engine_of_a_server(how: object) -> None:
    engine, alarm = engine_of(Model, memory_mb=512, log=lambda _: None)
    ours, theirs = ask(engine, how), asked_elsewhere(Model, how)
    assert (ours.status, ours.content_type, ours.body, dict(ours.headers), ours.batch_size) == (
        theirs.status,
        theirs.content_type,
        theirs.body,
        dict(theirs.headers),
        theirs.batch_size,
    )
    assert not alarm.on


@pytest.mark.parametrize("number", [3, 7, 13])
def test_a_batched_predict_gets_a_batch_of_one(number: int) -> None:
    engine, _ = engine_of(Squares, log=lambda _: None)
    ours, theirs = ask(engine, number), asked_elsewhere(Squares, number)
    assert (ours.status, ours.body, ours.batch_size) == (theirs.status, theirs.body, theirs.batch_size)


class Sized(Handler):
    @batched(max_size=4, size=lambda text: 1 / (len(text) - 1))
    def predict(self, texts: list[str]) -> list[str]:
        return texts


@pytest.mark.parametrize("text", ["a", "abc"])
def test_a_size_that_fails_is_the_answer_although_nothing_is_batched(text: str) -> None:
    engine, _ = engine_of(Sized, log=lambda _: None)
    ours, theirs = ask(engine, text), asked_elsewhere(Sized, text)
    assert (ours.status, ours.body) == (theirs.status, theirs.body)


def test_a_predict_that_is_interrupted_is_a_504_although_it_catches_exceptions() -> None:
    log: list[dict[str, Any]] = []
    engine, _ = engine_of(Model, log=log.append)
    response = ask(engine, "late", timeout_s=1.99991)
    assert response.status == 504
    assert "within 2 s" in json.loads(response.body)["detail"]
    assert [event["event"] for event in log] == ["deadline-exceeded"]
    assert ask(engine, "abc").body == b"3", "the model is free for the next request"


@dataclass
class Slow:
    """An input that takes too long to read."""

    alarm: ClassVar[ManualAlarm]
    text: str

    def __post_init__(self) -> None:
        self.alarm.ring()


class Reads(Handler):
    def predict(self, slow: Slow) -> str:
        return slow.text


def test_reading_an_input_is_interrupted_as_predict_is() -> None:
    log: list[dict[str, Any]] = []
    engine, Slow.alarm = engine_of(Reads, log=log.append)
    response = ask(engine, {"text": "x"}, timeout_s=2.0)
    assert (response.status, [event["event"] for event in log]) == (504, ["deadline-exceeded"])
    assert (Slow.alarm.armed, Slow.alarm.on) == ([2.0], False)


def test_no_alarm_is_left_behind_an_input_that_does_not_fit() -> None:
    engine, alarm = engine_of(Model)
    assert ask(engine, 3).status == 400
    assert (alarm.armed, alarm.on) == ([9.0], False)


def test_the_alarm_is_set_for_the_shorter_of_both_times() -> None:
    now = [100.0]
    engine, alarm = engine_of(Model, clock=lambda: now[0])
    ask(engine, "fine", timeout_s=2.5)
    ask(engine, "fine", timeout_s=60.0)
    ask(engine, "fine")
    assert alarm.armed == [2.5, 9.0, 9.0]


def test_without_time_predict_is_not_called() -> None:
    engine, alarm = engine_of(Model, log=lambda _: None)
    assert ask(engine, "fine", timeout_s=0.0).status == 504
    assert alarm.armed == []


class LateAlarm(ManualAlarm):
    """Rings for the first time when it is switched off."""

    def __init__(self) -> None:
        super().__init__()
        self.rung = False

    def disarm(self) -> None:
        if not self.rung:
            self.rung = True
            self.ring()
        super().disarm()


def test_an_alarm_that_rings_while_it_is_switched_off_is_off_afterwards() -> None:
    model = model_of(Model, limits=Limits(timeout_s=9))
    alarm = LateAlarm()
    engine = SerialEngine(model, alarm, log=lambda _: None)
    assert ask(engine, "fine").status == 504
    assert not alarm.on


ALARMED = """
import json, signal, sys, time
from tests.fakes.models import model_of
from preheat import Handler
from preheat.interface.message import Request
from preheat.runtime.serial import AGAIN_S, SerialEngine, SignalAlarm, settled

class Finalized:
    def __del__(self):
        time.sleep(60)

class Sleeps(Handler):
    def predict(self, how: str) -> str:
        try:
            if how == "finalizes":
                Finalized()
            if how == "cleans up":
                signal.raise_signal(signal.SIGALRM)
            if how != "answers":
                time.sleep(60)
        finally:
            if how == "cleans up":
                signal.raise_signal(signal.SIGALRM)
                print("cleaned up")
        return how

engine = SerialEngine(model_of(Sleeps), SignalAlarm(), log=lambda _: None)
for how in sys.argv[1:]:
    timeout_s = 0.2 if how in ("sleeps", "finalizes") else 60
    request = Request(id="r", body=json.dumps(how).encode(), timeout_s=timeout_s)
    print(settled(engine.invoke(request)).status)
time.sleep(4 * AGAIN_S)
"""


@pytest.mark.parametrize(
    ("how", "printed"),
    [
        ("sleeps", ["504"]),
        ("finalizes", ["504"]),  # Python ignores what is raised in a __del__
        ("cleans up", ["cleaned up", "504"]),
    ],
)
def test_the_signal_interrupts_what_sleeps_and_is_gone_afterwards(how: str, printed: list[str]) -> None:
    # In a process of its own: the test runner's own time limit uses the same signal.
    done = subprocess.run(
        [sys.executable, "-c", ALARMED, how, "answers"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.stdout.splitlines() == [*printed, "200"], done.stderr
    assert done.returncode == 0


def test_a_coroutine_that_waits_is_refused() -> None:
    work = asyncio.sleep(0)
    with pytest.raises(AssertionError):
        settled(work)
