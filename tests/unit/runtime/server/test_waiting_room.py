import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from preheat.runtime.server.waiting_room import LEAVING_S, MOST, PATIENCE_S, Answering

PING = b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n"


class Room:
    """An Answering on a thread of its own, and who comes to it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._ours, self.line = os.pipe()
        self._thread = threading.Thread(target=Answering(self._listener, self._ours).run)
        self._thread.start()

    def come(self) -> socket.socket:
        return socket.create_connection(self._listener.getsockname(), timeout=120)

    def leave(self, *, say: bool = True) -> None:
        """Tell it to end, or let its line break; return when it has ended."""
        if say:
            os.write(self.line, b"x")
        else:
            os.close(self.line)
            self.line = -1
        self._thread.join(120)
        assert not self._thread.is_alive()

    def close(self) -> None:
        if self._thread.is_alive():
            self.leave()
        self._listener.close()
        os.close(self._ours)
        if self.line >= 0:
            os.close(self.line)


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    yield room
    room.close()


def read(client: socket.socket) -> bytes:
    received = b""
    while part := client.recv(4096):
        received += part
    return received


@contextmanager
def asking(room: Room, *parts: bytes) -> Iterator[Callable[[], bytes]]:
    with room.come() as client:
        for part in parts:
            client.sendall(part)
        yield lambda: read(client)


@pytest.mark.parametrize(
    "parts",
    [(PING,), (PING[:9], PING[9:]), (b"POST /invocations HTTP/1.1\r\ncontent-length: 9\r\n\r\n12",)],
    ids=["ping", "in pieces", "a body that is never whole"],
)
def test_whoever_asks_is_told_to_come_again_and_nothing_more(room: Room, parts: tuple[bytes, ...]) -> None:
    with asking(room, *parts) as answer:
        said = answer()
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in head
    assert b"connection: close" in head
    assert b"The model is loading." in body


def test_one_who_says_nothing_keeps_nobody_waiting(room: Room) -> None:
    with room.come(), asking(room, PING) as answer:
        assert answer().startswith(b"HTTP/1.1 503 ")


def test_one_who_says_nothing_is_shown_out(room: Room) -> None:
    with room.come() as silent:
        silent.settimeout(PATIENCE_S * 5)
        assert silent.recv(1) == b""


def test_more_than_there_is_room_for_come_later(room: Room) -> None:
    several = [room.come() for _ in range(MOST)]
    with asking(room, PING) as answer:
        for silent in several:
            silent.close()
        assert answer().startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize("say", [True, False], ids=["told", "nobody is left to tell"])
def test_it_ends_when_it_is_told_and_when_the_server_is_gone(room: Room, say: bool) -> None:
    room.leave(say=say)


def test_what_it_holds_when_it_ends_is_closed_and_not_waited_for(room: Room) -> None:
    with room.come() as silent, asking(room, PING) as answer:
        assert answer().startswith(b"HTTP/1.1 503 ")  # so the silent one is in as well
        room.leave()
        silent.settimeout(LEAVING_S * 20)
        assert silent.recv(1) == b""
