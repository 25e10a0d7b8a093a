"""Webhooks over real sockets: what is sent, what is not followed, and that a slow receiver is left."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tests.fakes.patience import PATIENCE_S

from preheat_providers.local.jobs.addresses import Refused
from preheat_providers.local.jobs.post import Post, send


@contextmanager
def receiver(answer: Callable[[socket.socket], None]) -> Iterator[tuple[int, list[bytes]]]:
    """Accept one connection, read its request, then let `answer` do what it does."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)

        def serve() -> None:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(PATIENCE_S)
                data = b""
                while not data.endswith(b"the body"):
                    data += connection.recv(65536)
                received.append(data)
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], received
        finally:
            thread.join(PATIENCE_S)


def post(port: int, *, within_s: float = 10, private: bool = True) -> Post:
    url = f"http://127.0.0.1:{port}/hook?a=1"
    return Post(url=url, body=b"the body", headers={"webhook-id": "1"}, private=private, within_s=within_s)


def test_a_post_carries_the_body_and_headers_and_returns_the_status() -> None:
    with receiver(lambda connection: connection.sendall(b"HTTP/1.1 202 Fine\r\n\r\n")) as (port, received):
        assert send(post(port)) == 202
    head = received[0].decode()
    assert head.startswith("POST /hook?a=1 HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{port}\r\n" in head
    assert head.lower().count("host:") == 1
    assert "webhook-id: 1\r\n" in head


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    def redirect(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 307 Go\r\nlocation: http://169.254.169.254/\r\n\r\n")

    with receiver(redirect) as (port, _):
        assert send(post(port)) == 307


def test_a_receiver_that_drips_bytes_is_left_when_the_time_is_up() -> None:
    def drip(connection: socket.socket) -> None:
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while connection.recv(1):
                connection.sendall(b"x-drip: 1\r\n")
        except OSError:
            return

    with receiver(drip) as (port, _), pytest.raises(TimeoutError):
        send(post(port, within_s=0.3))


def test_this_machine_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(Refused):
        send(Post(url="https://localhost:9/", body=b"", headers={}, private=False, within_s=1))
