"""Modal's own calls and Dicts as jobs need them. Ships; imports modal, which every container has."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import modal
import modal.exception

from preheat.errors import Unavailable
from preheat.runtime.failures import describe
from preheat_providers.modal.shipped.jobs.calls import Forgotten, Lost, Outcome
from preheat_providers.modal.shipped.jobs.records import Item

UNREACHED = (
    modal.exception.AuthError,
    modal.exception.ClientClosed,
    modal.exception.ConnectionError,
    modal.exception.InternalError,
    modal.exception.PermissionDeniedError,
    modal.exception.ResourceExhaustedError,
    modal.exception.ServiceError,
    OSError,
)
"""What Modal's client raises of the way to Modal, not of the call that is asked about."""


class Spawn(Protocol):
    """`MODEL.run_job.spawn` of the generated app."""

    @property
    def aio(self) -> Any:
        """The same for the event loop."""
        ...


class ModalEntries:
    """A modal.Dict; implements Entries."""

    def __init__(self, kept: modal.Dict) -> None:
        self._dict = kept

    async def add(self, key: str, item: Item) -> bool:
        """Write `item` where nothing is; say whether it was written."""
        with _asking("recorded"):
            return bool(await self._dict.put.aio(key, item, skip_if_exists=True))

    async def put(self, key: str, item: Item) -> None:
        """Write `item`, whatever is there."""
        with _asking("recorded"):
            await self._dict.put.aio(key, item)

    async def get(self, key: str) -> Item | None:
        """Return what is there."""
        with _asking("read"):
            item: Item | None = await self._dict.get.aio(key)
            return item


def own_entries(name: str) -> ModalEntries:
    """Return the Dict called `name` in the environment of this container."""
    return ModalEntries(modal.Dict.from_name(name, create_if_missing=True))


class ModalCalls:
    """Calls of `spawn`; implements Calls."""

    def __init__(self, spawn: Spawn) -> None:
        self._spawn = spawn

    async def spawn(self, job_id: str, request: Item) -> str:
        """Begin a call and return its id."""
        return await self.begin(job_id, request)

    async def begin(self, *arguments: Any) -> str:
        """Begin a call with `arguments` and return its id."""
        with _asking("queued"):
            call: modal.FunctionCall[Any] = await self._spawn.aio(*arguments)
        return call.object_id

    async def outcome(self, call_id: str) -> Outcome:
        """Return what the call has come to so far."""
        with _asking("read"):
            try:
                item: Item | None = await modal.FunctionCall.from_id(call_id).get.aio(timeout=0)
            except modal.exception.OutputExpiredError:
                return Forgotten()
            except modal.exception.FunctionTimeoutError as error:
                return Lost(describe(error))
            except TimeoutError:
                return None
            except UNREACHED:
                raise
            except Exception as error:  # noqa: BLE001 - a call may fail with whatever its container raised
                return Lost(describe(error))
        return Lost("Its call ended without an answer.") if item is None else item

    async def cancel(self, call_id: str) -> None:
        """Stop the call, whether it waits or runs."""
        with _asking("cancelled"):
            await modal.FunctionCall.from_id(call_id).cancel.aio()


async def leave() -> None:
    """Have Modal end this container once what it has in hand is answered."""
    from modal.experimental import stop_fetching_inputs

    # modal 1.5.0 has a plain function that sets a flag; 1.6.4 has one that blocks, with its `aio`.
    stop = getattr(stop_fetching_inputs, "aio", None)
    if stop is None:
        stop_fetching_inputs()
    else:
        await stop()


@contextmanager
def _asking(what: str) -> Iterator[None]:
    try:
        yield
    except UNREACHED as error:
        raise Unavailable(f"The job could not be {what}: Modal did not answer.", retry_after_s=1) from error
