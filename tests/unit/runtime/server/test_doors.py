import asyncio
import json
import socket
from collections.abc import Callable, Coroutine, Iterator
from functools import wraps
from typing import Any

import pytest
from tests.fakes.patience import PATIENCE_S

from preheat.runtime.server.doors import HostDoor
from preheat.runtime.server.http import Endpoint
from preheat.runtime.server.line import CLOSED, CONNECTION, LEAVING, READY, make_line, receive


class Adopting(Endpoint):
    """Takes connections and closes them."""

    def __init__(self) -> None:
        super().__init__(None)
        self.adopted = 0
        self.first = asyncio.Event()

    async def adopt(self, connection: socket.socket) -> None:
        connection.close()
        self.adopted += 1
        self.first.set()


class Passage:
    """The door of a worker, and the host's end of its line."""

    def __init__(self) -> None:
        self.host, self.line = make_line()
        self.door = HostDoor(self.line, 0)
        self.endpoint = Adopting()
        self.stopped = 0

    async def open(self) -> None:
        self.door.watch(asyncio.get_running_loop(), self._stop)
        await self.door.open(self.endpoint)
        assert receive(self.host) == (READY, None)

    def give(self) -> None:
        with socket.socket() as connection:
            socket.send_fds(self.host, [CONNECTION], [connection.fileno()])

    def close(self) -> None:
        self.host.close()
        self.line.close()

    def _stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def passage() -> Iterator[Passage]:
    passage = Passage()
    yield passage
    passage.close()


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(**given: Any) -> None:
        asyncio.run(asyncio.wait_for(test(**given), PATIENCE_S))

    return run


@on_a_loop
async def test_a_connection_without_its_descriptor_is_told_and_stops_nobody(
    passage: Passage, capfd: pytest.CaptureFixture[str]
) -> None:
    await passage.open()
    passage.host.send(CONNECTION)  # as the kernel hands it on where no descriptor is left
    passage.give()
    await passage.endpoint.first.wait()
    assert passage.stopped == 0
    assert receive(passage.host) == (CLOSED, None)
    assert json.loads(capfd.readouterr().err)["event"] == "accept-failed"


@on_a_loop
async def test_one_that_leaves_takes_in_what_comes_until_the_host_has_heard_it(passage: Passage) -> None:
    await passage.open()
    leaving = asyncio.create_task(passage.door.leaving())
    await asyncio.sleep(0)
    assert receive(passage.host) == (LEAVING, None)
    passage.give()
    passage.host.shutdown(socket.SHUT_WR)
    await leaving
    assert passage.endpoint.adopted == 1


@on_a_loop
async def test_one_whose_host_is_gone_stops_and_waits_for_nobody(passage: Passage) -> None:
    await passage.open()
    passage.host.close()
    await passage.door.leaving()
    assert passage.stopped == 1
