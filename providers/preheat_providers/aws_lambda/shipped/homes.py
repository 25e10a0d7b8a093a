"""The thread on which a handler's code runs, from setup to the last predict. Ships."""

import threading
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from preheat.runtime.loader import Model

if TYPE_CHECKING:
    from preheat.runtime.model_thread import ModelThread

P = ParamSpec("P")
T = TypeVar("T")


class Home:
    """The thread that asks: that on which Lambda hands over events."""

    @cached_property
    def thread(self) -> "ModelThread":
        """What an engine posts calls to that must not run on its own thread; here it makes none."""
        from preheat.runtime.model_thread import ModelThread

        return ModelThread()

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `function` returns, or raise what it raises."""
        return function(*args, **kwargs)


class OwnThread(Home):
    """A thread of its own, for generators: while one waits, the event loop keeps their time."""

    def __init__(self) -> None:
        threading.Thread(target=self.thread.run, name="preheat-model", daemon=True).start()

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `function` returns there, or raise what it raises."""
        return self.thread.submit(function, *args, **kwargs).result()


def home_of(model: Model) -> Home:
    """Return where `model` lives: generators need a thread of their own."""
    contract = model.contract
    return OwnThread() if contract.is_stream and not contract.is_async else Home()
