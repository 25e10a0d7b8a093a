"""What Modal's client raises, as jobs hear of it: lost calls are answers, an absent Modal is none."""

import asyncio
from typing import Any

import modal.exception
import pytest

from preheat.errors import Unavailable
from preheat_providers.modal.shipped.jobs.client import UNREACHED, ModalCalls


class Raising:
    """Spawns nothing."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def aio(self, *_: Any) -> Any:
        raise self._error


@pytest.mark.parametrize("kind", UNREACHED)
def test_a_spawn_that_modal_does_not_hear_is_unavailable(kind: type[Exception]) -> None:
    calls = ModalCalls(Raising(kind("no route")))
    with pytest.raises(Unavailable, match="queued") as caught:
        asyncio.run(calls.spawn("j", {}))
    assert caught.value.retry_after_s == 1


def test_other_errors_of_a_spawn_are_not_hidden() -> None:
    with pytest.raises(ValueError, match="ours"):
        asyncio.run(ModalCalls(Raising(ValueError("ours"))).spawn("j", {}))


def test_modals_own_time_outs_are_not_pythons() -> None:
    """A call that ran out of time, or whose answer is not kept, must not look like one that still runs."""
    for kind in (modal.exception.FunctionTimeoutError, modal.exception.OutputExpiredError):
        assert not issubclass(kind, TimeoutError)
