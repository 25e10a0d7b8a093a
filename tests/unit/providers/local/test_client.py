import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.fakes.patience import PATIENCE_S

from preheat.errors import ProviderError
from preheat.interface.message import Request
from preheat_providers.local.client import SupervisorClient

STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
SHORT = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\nhalf"
REQUEST = Request(id="r1", body=b'"end of it"')


@contextmanager
def answering(parts: "queue.SimpleQueue[bytes | None]") -> Iterator[str]:
    """Answer one request with what `parts` gives, as soon as it does; None closes the connection."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(PATIENCE_S)

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            received = b""
            while not received.endswith(REQUEST.body):
                received += connection.recv(65536)
            while part := parts.get(timeout=PATIENCE_S):
                connection.sendall(part)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        parts.put(None)
        thread.join()
        server.close()


@pytest.fixture
def parts() -> "queue.SimpleQueue[bytes | None]":
    return queue.SimpleQueue()


@pytest.fixture
def client(tmp_path: Path) -> SupervisorClient:
    return SupervisorClient(tmp_path)


def test_an_answer_is_handed_on_as_it_comes(
    client: SupervisorClient, parts: "queue.SimpleQueue[bytes | None]"
) -> None:
    parts.put(STREAM + b"2\r\n1\n\r\n")
    with answering(parts) as endpoint, client.ask(endpoint, "demo@dev", REQUEST) as answer:
        assert (answer.status, answer.content_type) == (200, "application/x-ndjson")
        assert next(answer.chunks) == b"1\n"
        parts.put(b"2\r\n2\n\r\n0\r\n\r\n")  # only now is there more
        assert list(answer.chunks) == [b"2\n"]


@pytest.mark.parametrize(
    ("sent", "received"), [(STREAM + b"2\r\n1\n\r\n", b"1\n"), (STREAM, b""), (SHORT, b"half")]
)
def test_what_came_of_an_answer_that_breaks_off_is_handed_on(
    client: SupervisorClient, parts: "queue.SimpleQueue[bytes | None]", sent: bytes, received: bytes
) -> None:
    parts.put(sent)
    parts.put(None)
    chunks: list[bytes] = []
    with answering(parts) as endpoint, client.ask(endpoint, "demo@prod", REQUEST) as answer:
        with pytest.raises(ProviderError, match=f"demo broke off after {len(received)} bytes") as caught:
            chunks.extend(answer.chunks)
        assert b"".join(chunks) == received
    assert caught.value.hint == "See why: preheat logs demo --stage prod"


def test_a_whole_answer_is_one_response(
    client: SupervisorClient, parts: "queue.SimpleQueue[bytes | None]"
) -> None:
    parts.put(STREAM + b"2\r\n1\n\r\n2\r\n2\n\r\n0\r\n\r\n")
    with answering(parts) as endpoint:
        response = client.invoke(endpoint, "demo@dev", REQUEST)
    assert (response.status, response.body) == (200, b"1\n2\n")
    assert response.headers["content-type"] == "application/x-ndjson"


def test_an_endpoint_that_is_not_there_does_not_answer(client: SupervisorClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ProviderError, match="does not answer"):
        client.invoke(f"http://127.0.0.1:{port}", "demo@dev", REQUEST)
