"""Keeps a handler in the middle of a request until a test lets it go, over a port that both can reach."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.fakes.patience import PATIENCE_S


class Hold:
    """`order` makes the zoo's tiger call here and wait until it is hung up on."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._held: list[socket.socket] = []
        self.order: dict[str, Any] = {"do": "call", "port": listener.getsockname()[1]}

    def until_held(self) -> None:
        """Wait until a handler has begun."""
        self._held.append(self._listener.accept()[0])

    def let_go(self) -> None:
        """Let go all that have begun."""
        for each in self._held:
            each.close()


@contextmanager
def holding() -> Iterator[Hold]:
    """Listen on a port of the system's choice until the block ends, and let go what is still held."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        hold = Hold(listener)
        try:
            yield hold
        finally:
            hold.let_go()
