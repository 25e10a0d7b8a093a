import fcntl
import json
import queue
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.patience import PATIENCE_S

from preheat.errors import ProviderError
from preheat.interface.message import Request
from preheat_providers.local.client import SupervisorClient
from preheat_providers.local.supervisor.lock import SupervisorLock

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


# Orders, to a supervisor that may end at any moment

HELLO = b'{"result": {"version": "1"}}\n'
DONE = b'{"step": "one"}\n{"result": 3}\n'
EVENTS = b'{"event": "a"}\n{"event": "b"}\n'
NO_MORE = b'{"result": null}\n'


class Scripted(SupervisorClient):
    """Connects to what is given, one after another, and starts no supervisor: None is that nobody listens."""

    def __init__(self, home: Path, *connections: socket.socket | None) -> None:
        super().__init__(home, version="1")
        self.connections = list(connections)
        self.launched = 0

    def _connect(self) -> socket.socket | None:
        return self.connections.pop(0)

    def _launch(self) -> None:
        self.launched += 1


class Supervisors:
    """Supervisors in threads, at the other end of a pair of sockets."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.orders: list[Mapping[str, Any]] = []

    def answering(self, *answers: bytes) -> socket.socket:
        """Return a connection to one that answers each order with one of `answers`, then ends."""
        ours, theirs = socket.socketpair()
        if not answers:
            theirs.close()
            self._stack.callback(ours.close)
            return ours

        def serve() -> None:
            with theirs, theirs.makefile("rb") as stream:
                for left in range(len(answers), 0, -1):
                    if not (line := stream.readline()):
                        return
                    self.orders.append(json.loads(line))
                    if left == 1:
                        theirs.shutdown(socket.SHUT_RD)  # what is sent once this is answered is a broken pipe
                    theirs.sendall(answers[-left])

        thread = threading.Thread(target=serve)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(ours.close)  # first, so that the thread ends
        return ours


@pytest.fixture
def supervisors() -> Iterator[Supervisors]:
    with ExitStack() as stack:
        yield Supervisors(stack)


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param((), id="before hello"),
        pytest.param((HELLO[:9],), id="within the answer to hello"),
        pytest.param((HELLO,), id="after hello"),
        pytest.param((HELLO, b""), id="before the answer"),
        pytest.param((HELLO, DONE[:20]), id="within the answer"),
    ],
)
def test_an_order_that_meets_the_end_of_a_supervisor_goes_to_the_next(
    tmp_path: Path, supervisors: Supervisors, ending: tuple[bytes, ...]
) -> None:
    client = Scripted(tmp_path, supervisors.answering(*ending), supervisors.answering(HELLO, DONE))
    steps: list[str] = []
    assert client.order("status", say=steps.append) == 3
    assert steps[-1] == "one"
    assert supervisors.orders[-1] == {"op": "status"}


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param((HELLO,), id="after hello"),
        pytest.param((HELLO, b""), id="before the first line"),
        pytest.param((HELLO, EVENTS[:5]), id="within the first line"),
    ],
)
def test_lines_that_have_not_begun_come_from_the_next_supervisor(
    tmp_path: Path, supervisors: Supervisors, ending: tuple[bytes, ...]
) -> None:
    client = Scripted(
        tmp_path, supervisors.answering(*ending), supervisors.answering(HELLO, EVENTS + NO_MORE)
    )
    assert [line["event"] for line in client.lines("logs")] == ["a", "b"]


@pytest.mark.parametrize("told", [EVENTS, EVENTS + b'{"event": "c"'])
def test_lines_that_have_begun_end_with_the_supervisor(
    tmp_path: Path, supervisors: Supervisors, told: bytes
) -> None:
    client = Scripted(tmp_path, supervisors.answering(HELLO, told))
    assert [line["event"] for line in client.lines("logs")] == ["a", "b"]


def test_supervisors_that_end_one_after_another_are_an_error(
    tmp_path: Path, supervisors: Supervisors
) -> None:
    ending = [supervisors.answering(HELLO) for _ in range(4)]
    client = Scripted(tmp_path, *ending)
    with pytest.raises(ProviderError, match="ended before it answered"):
        client.order("status")
    with pytest.raises(ProviderError, match="ended before it answered"):
        list(client.lines("logs"))


def test_one_of_another_version_that_was_replaced_meanwhile_is_not_ended_again(
    tmp_path: Path, supervisors: Supervisors
) -> None:
    old = supervisors.answering(HELLO.replace(b"1", b"0"), NO_MORE)
    client = Scripted(tmp_path, old, supervisors.answering(HELLO, DONE))
    assert client.order("status") == 3
    assert client.launched == 0
    assert "shutdown" not in {order["op"] for order in supervisors.orders}


def test_nobody_starts_the_next_supervisor_while_one_waits_for_the_end_of_this_one(
    tmp_path: Path, supervisors: Supervisors
) -> None:
    """Whoever waited would wait for the next one too, or hold the lock that it needs to start."""
    excluded: list[str] = []

    class Watched(Scripted):
        def _await_end(self) -> None:
            with self.paths.start_lock.open("w") as lock, pytest.raises(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            excluded.append(supervisors.orders[-1]["op"])
            super()._await_end()

    old = HELLO.replace(b"1", b"0")
    first, again = supervisors.answering(old), supervisors.answering(old, NO_MORE)
    Watched(tmp_path, first, again, supervisors.answering(HELLO, DONE)).order("status")
    SupervisorLock(tmp_path / "supervisor.lock").release()
    Watched(tmp_path, supervisors.answering(NO_MORE)).shut_down()
    assert excluded == ["shutdown", "shutdown"]


def test_where_no_supervisor_ever_ran_none_is_ended(tmp_path: Path) -> None:
    SupervisorClient(tmp_path / "home").shut_down()
    assert not (tmp_path / "home").exists()
