"""A server whose platform replaces who fails /ping: it answers while it loads, and however busy it is."""

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.servers import ServerProcess

pytestmark = pytest.mark.runtime

Start = Callable[..., ServerProcess]

HOLDS_THE_LOCK = """
    import ctypes, os, preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            gate = os.open({gate!r}, os.O_RDONLY)
            print("in setup", flush=True)
            ctypes.PyDLL(None).read(gate, ctypes.create_string_buffer(1), 1)  # with the interpreter's lock

        def predict(self, text: str) -> str: return text
    """
GATED = """
    import os, preheat

    class Model(preheat.Handler):
        def predict(self, path: str) -> str:
            print("begun", flush=True)
            with open(path) as gate: return gate.read()
    """
FAILING = """
    import preheat

    class Model(preheat.Handler):
        def predict(self, number: int) -> int: raise ValueError(number)
    """
STREAM = """
    import preheat
    from collections.abc import Iterator

    class Model(preheat.Handler):
        def predict(self, upto: int) -> Iterator[int]:
            for number in range(upto):
                if number == 3: raise preheat.BadInput("beyond two")
                yield number
    """


def still_loading(server: ServerProcess) -> bool:
    """Tell whether /ping says so: a worker is ready before the host has heard it and shown the others out."""
    try:
        return server.get("/ping")[0] == 503
    except ConnectionError:  # one who was stopped between connecting and asking is shown out unanswered
        return True


def gate_in(folder: Path) -> Path:
    gate = folder / "gate"
    os.mkfifo(gate)
    return gate


@pytest.mark.parametrize("flags", [(), ("--workers", "2"), ("--workers", "2", "--fresh", "it says so")])
def test_it_answers_503_while_setup_holds_the_interpreter_and_200_from_then_on(
    start: Start, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    gate = gate_in(tmp_path)
    server = start("--ping-decides", *flags, source=HOLDS_THE_LOCK.format(gate=str(gate)))
    with gate.open("wb") as opened:  # returns when setup has opened its end
        server.until_printed("in setup")
        for _ in range(3):
            status, body = server.get("/ping")
            assert (status, json.loads(body)["detail"]) == (503, "The model is loading.")
        assert server.post("early")[0] == 503
        opened.write(b"12")  # a byte for each worker
        opened.flush()
        server.until("ready")
        while flags and still_loading(server):
            pass
        assert server.get("/ping") == (200, b"")
        assert server.post("late") == (200, "late")
    server.stop()
    assert server.ended() == 0
    assert list(server.tmp.iterdir()) == []


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nobody_answers_any_more_when_the_server_ends_while_it_loads(
    start: Start, tmp_path: Path, workers: str, number: signal.Signals
) -> None:
    gate = gate_in(tmp_path)
    source = HOLDS_THE_LOCK.format(gate=str(gate)).replace("ctypes.PyDLL", "ctypes.CDLL")
    server = start("--ping-decides", "--workers", workers, source=source)
    with gate.open("wb"):
        server.until_printed("in setup")
        assert server.get("/ping")[0] == 503
        server.stop(number)
        server.ended()  # also of everybody who holds its standard output
    with pytest.raises(ConnectionRefusedError):
        server.get("/ping")


def test_a_setup_that_fails_ends_who_answers_too(start: Start) -> None:
    server = start(
        "--ping-decides",
        source="""
        import preheat
        class Model(preheat.Handler):
            def setup(self, ctx): raise OSError("no weights")
            def predict(self, text: str) -> str: return text
        """,
    )
    assert server.ended() == 1
    assert "no weights" in server.found("failed")[0]["message"]
    with pytest.raises(ConnectionRefusedError):
        server.get("/ping")


@pytest.mark.parametrize(("flags", "well"), [((), 503), (("--ping-decides",), 200)])
def test_being_busy_is_no_reason_to_be_replaced(
    start: Start, tmp_path: Path, flags: tuple[str, ...], well: int
) -> None:
    gate = gate_in(tmp_path)
    server = start("--queue", "1", *flags, source=GATED)
    server.until("ready")
    answers: list[tuple[int, Any]] = []
    asking = threading.Thread(target=lambda: answers.append(server.post(str(gate))))
    asking.start()
    server.until_printed("begun")
    assert server.get("/ping")[0] == well
    assert server.get("/readyz")[0] == 503
    gate.write_text("done")
    asking.join()
    assert answers == [(200, "done")]


@pytest.mark.parametrize(("flags", "told"), [((), 503), (("--no-circuit",), 500)])
def test_without_a_circuit_a_model_that_fails_is_asked_on(
    start: Start, flags: tuple[str, ...], told: int
) -> None:
    server = start(*flags, source=FAILING)
    server.until("ready")
    numbers = iter(range(1_000_000))
    statuses = {server.post(next(numbers))[0]}
    while told not in statuses or (told == 500 and next(numbers) < 300):
        statuses.add(server.post(next(numbers))[0])
    assert statuses == {500, told}
    if told == 503:
        server.until("circuit-open")
    else:
        server.stop()
        server.ended()
        assert not server.found("circuit-open")


def test_a_stream_is_answered_in_one_piece(start: Start) -> None:
    server = start("--whole", source=STREAM)
    server.until("ready")
    connection = server.connect()
    connection.request("POST", "/invocations", b"3", {"content-type": "application/json"})
    answer = connection.getresponse()
    assert answer.getheader("transfer-encoding") is None
    assert answer.read() == b"0\n1\n2\n"
    assert answer.getheader("content-length") == "6"
    connection.close()
    status, problem = server.post(4)
    assert (status, problem["detail"]) == (400, "beyond two")
