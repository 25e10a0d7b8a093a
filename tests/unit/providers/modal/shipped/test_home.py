"""The thread of a handler's code."""

import asyncio
import threading

import pytest
from tests.fakes.models import model_of
from tests.fakes.patience import PATIENCE_S

import preheat
from preheat_providers.modal.shipped.home import Home


class Quiet(preheat.Handler):
    def __init__(self) -> None:
        self.ended = threading.Event()

    def teardown(self, ctx: preheat.Context) -> None:
        self.ended.set()

    def predict(self, number: int) -> int:
        return number


def test_steps_and_calls_run_on_the_same_thread_which_is_not_this_one() -> None:
    home = Home()
    first = home.run(threading.get_ident)
    second = asyncio.run(home.finish(threading.get_ident))
    home.serve(1)
    third = home.thread.submit(threading.get_ident).result(PATIENCE_S)
    assert first == second == third
    assert first != threading.get_ident()


def test_what_a_step_raises_comes_out() -> None:
    home = Home()
    with pytest.raises(ZeroDivisionError):
        home.run(lambda: 1 // 0)
    assert home.run(lambda: 1) == 1


def test_calls_wait_until_the_steps_are_taken() -> None:
    home = Home()
    call = home.thread.submit(threading.get_ident)
    assert home.run(lambda: call.done()) is False
    home.serve(1)
    assert isinstance(call.result(PATIENCE_S), int)


def test_threaded_handlers_have_as_many_threads() -> None:
    home = Home()
    home.serve(3)
    together = threading.Barrier(3)
    calls = [home.thread.submit(together.wait, 10) for _ in range(3)]
    assert sorted(call.result(PATIENCE_S) for call in calls) == [0, 1, 2]


def test_teardown_follows_the_calls_made_so_far() -> None:
    home, model = Home(), model_of(Quiet)
    home.serve(1)
    before = threading.Event()
    home.thread.post(before.set)
    assert asyncio.run(home.leave(model, 10))
    assert before.is_set()
    assert model.handler.ended.is_set()  # type: ignore[attr-defined]


def test_a_call_that_never_ends_does_not_hold_up_the_end() -> None:
    home, model = Home(), model_of(Quiet)
    home.serve(1)
    forever = threading.Event()
    home.thread.submit(forever.wait)
    assert not asyncio.run(home.leave(model, 0.05))
    forever.set()
