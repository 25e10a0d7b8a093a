import asyncio
import errno
import socket
from typing import Any

import pytest
from tests.fakes.patience import PATIENCE_S

from preheat.runtime.server.http import Endpoint


class Listener(socket.socket):
    """Accepts until there is no descriptor left."""

    exhausted = False

    def accept(self) -> tuple[socket.socket, Any]:
        if self.exhausted:
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError


def test_an_endpoint_without_a_descriptor_left_stops_all_the_same() -> None:
    async def scenario() -> None:
        endpoint, listener = Endpoint(nothing), Listener()
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        port = await endpoint.start(listener)
        listener.exhausted = True
        assert await endpoint.stop(1) == 0
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE_S))
