"""A server with the model in one process: the real one, over a socket."""

import json
import os
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.fakes.patience import PATIENCE_S
from tests.fakes.servers import ServerProcess

from preheat.interface.manifest import Limits

pytestmark = pytest.mark.runtime

Start = Callable[..., ServerProcess]

GATED = """
    import os, preheat

    class Model(preheat.Handler):
        def predict(self, path: str) -> str:
            print("begun", flush=True)
            with open(path) as gate: return gate.read()

        def teardown(self, ctx):
            print("torn down", flush=True)
    """
"""Answers with what comes through a FIFO, and so when the test wants it to."""


def gate_in(folder: Path) -> Path:
    gate = folder / "gate"
    os.mkfifo(gate)
    return gate


def begin(server: ServerProcess, gate: Path) -> socket.socket:
    """Send a request that waits for `gate`, and return its connection once predict has begun."""
    connection = server.connect_raw()
    body = json.dumps(str(gate)).encode()
    head = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: "
    connection.sendall(head + str(len(body)).encode() + b"\r\n\r\n" + body)
    server.until_printed("begun")
    return connection


def test_it_answers_with_the_model_on_the_main_thread_in_its_own_folder(start: Start) -> None:
    server = start()
    (ready,) = server.until("ready")
    assert [phase["name"] for phase in ready["phases"]] == ["import", "setup", "restore", "warm-up"]
    assert f"http://127.0.0.1:{server.port}" in ready["message"]
    assert server.get("/ping")[0] == server.get("/readyz")[0] == 200
    status, answer = server.post("hi")
    assert (status, answer["text"], answer["main"]) == (200, "HI", "True")
    assert answer["pid"] == str(server.process.pid)
    assert answer["cwd"].startswith(str(server.tmp))
    document = json.loads(server.get("/openapi.json")[1])
    content = document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    assert content["application/json"]["examples"]["example 1"] == {"value": "warm"}
    assert server.get("/jobs/1")[0] == 501


@pytest.mark.parametrize("workers", ["1", "2"])
def test_before_it_is_ready_connections_wait_and_are_then_answered(
    start: Start, tmp_path: Path, workers: str
) -> None:
    gate = gate_in(tmp_path)
    server = start(
        "--workers",
        workers,
        source=f"""
        import preheat
        class Model(preheat.Handler):
            def setup(self, ctx):
                print("in setup", flush=True)
                with open({str(gate)!r}) as gate: gate.read()
            def predict(self, text: str) -> str: return text
        """,
    )
    server.until_printed("in setup")
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.2) as early:
        early.sendall(b"GET /ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        with pytest.raises(TimeoutError):
            early.recv(100)
        gate.write_text("open")
        early.settimeout(PATIENCE_S)
        assert early.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_drain_answers_what_is_in_hand_tears_down_and_leaves_nothing(
    start: Start, tmp_path: Path, number: int
) -> None:
    gate, server = gate_in(tmp_path), start(source=GATED)
    server.until("ready")
    with begin(server, gate) as connection:
        server.stop(number)
        server.until("draining")
        gate.write_text("done")
        answer = connection.recv(10_000)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b'"done"')
    assert server.ended() == 0
    assert server.output.endswith("torn down\n")
    assert list(server.tmp.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        server.get("/ping")


def test_a_second_signal_ends_at_once(start: Start, tmp_path: Path) -> None:
    gate, server = gate_in(tmp_path), start(source=GATED)
    server.until("ready")
    with begin(server, gate):
        server.stop()
        server.until("draining")
        server.stop(signal.SIGINT)
        assert server.ended() == 128 + signal.SIGINT


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_log_that_nobody_reads_any_more_costs_no_answer_and_no_drain(start: Start, workers: str) -> None:
    server = start(
        "--workers",
        workers,
        source="""
        import os, preheat
        class Model(preheat.Handler):
            def setup(self, ctx):
                reader, writer = os.pipe()
                os.close(reader)
                os.dup2(writer, 2)
                os.close(writer)
            def predict(self, number: int) -> int: return 6 // number
            def teardown(self, ctx): print("torn down", flush=True)
        """,
    )
    server.until("starting")
    assert server.post(0)[0] == 500  # whose traceback cannot be logged
    assert server.post(2) == (200, 3)
    server.stop()
    assert server.ended() == 0
    assert "torn down\n" in server.output  # of a second worker too, where that was ready by now
    assert list(server.tmp.iterdir()) == []


def test_requests_overlap_in_the_threads_of_a_threaded_predict(start: Start) -> None:
    server = start(
        source="""
        import preheat, threading
        class Model(preheat.Handler):
            def setup(self, ctx): self.together = threading.Barrier(3)

            @preheat.threaded(threads=3)
            def predict(self, text: str) -> str:
                self.together.wait(120)
                return text

            def teardown(self, ctx):
                print("torn down", threading.current_thread().name, flush=True)
        """
    )
    server.until("ready")
    with ThreadPoolExecutor(3) as callers:
        assert list(callers.map(server.post, "abc")) == [(200, "a"), (200, "b"), (200, "c")]
    server.stop()
    assert server.ended() == 0
    server.until_printed("torn down MainThread")


def test_a_drain_waits_no_longer_than_its_limit_and_says_what_it_cut(start: Start, tmp_path: Path) -> None:
    gate, server = gate_in(tmp_path), start("--drain-s", "0.2", source=GATED)
    server.until("ready")
    with begin(server, gate):
        server.stop()
        assert server.ended() == 1
    assert [event["message"] for event in server.found("cut")] == [
        "1 requests had no answer after 0.2 s, and were cut off.",
        "predict or teardown did not end in time.",
    ]


def test_a_predict_that_cannot_be_stopped_ends_the_process(start: Start, tmp_path: Path) -> None:
    gate = gate_in(tmp_path)
    server = start(source=GATED, limits=Limits(timeout_s=2, setup_s=20))
    server.until("ready")
    with begin(server, gate) as connection:
        assert connection.recv(10_000).startswith(b"HTTP/1.1 504 ")
    assert server.ended() == 1
    assert "has run for 2 s" in server.found("stuck")[0]["message"]


def test_a_signal_during_setup_ends_it_with_nothing_to_drain(start: Start) -> None:
    server = start(
        source="""
        import preheat, time
        class Model(preheat.Handler):
            def setup(self, ctx):
                print("in setup", flush=True)
                while True: time.sleep(60)
            def predict(self, text: str) -> str: return text
        """
    )
    server.until_printed("in setup")
    server.stop()
    assert server.ended() == 0
    assert list(server.tmp.iterdir()) == []


def test_a_setup_that_fails_ends_it_and_says_why(start: Start) -> None:
    server = start(
        source="""
        import preheat
        class Model(preheat.Handler):
            def setup(self, ctx): raise ValueError("no weights")
            def predict(self, text: str) -> str: return text
        """
    )
    assert server.ended() == 1
    (failed,) = server.found("failed")
    assert failed["phase"] == "setup"
    assert "no weights" in failed["message"]
    assert "app.py" in failed["traceback"]
    assert list(server.tmp.iterdir()) == []


def test_a_setup_that_never_ends_is_ended(start: Start) -> None:
    server = start(
        source="""
        import preheat, time
        class Model(preheat.Handler):
            def setup(self, ctx): time.sleep(60)
            def predict(self, text: str) -> str: return text
        """,
        limits=Limits(setup_s=0.5),
    )
    assert server.ended() == -signal.SIGALRM
    assert "after 0.5 s SIGALRM would end it" in server.found("starting")[0]["message"]


def test_a_token_guards_what_runs_the_model_and_not_the_health_checks(start: Start) -> None:
    server = start("--token-env", "KEY", env={"KEY": "s3cret"})
    server.until("ready")
    assert server.get("/ping")[0] == 200
    assert server.post("hi")[0] == server.get("/metrics")[0] == 401
    assert server.post("hi", authorization="Bearer wrong")[0] == 401
    assert server.post("hi", authorization="Bearer s3cret")[0] == 200


def test_a_token_variable_that_is_not_set_is_an_error_and_no_open_door(start: Start) -> None:
    server = start("--token-env", "KEY")
    assert server.ended() == 1
    assert "KEY" in server.found("failed")[0]["message"]


def test_a_port_in_use_names_its_holder(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = start("--port", str(taken.getsockname()[1]), listening=False)
        assert server.ended() == 1
    (failed,) = server.found("failed")
    assert f"(pid {os.getpid()})" in failed["message"]
    assert "--port" in failed["message"]


def test_threads_follow_the_processors_unless_the_environment_says_otherwise(start: Start) -> None:
    server = start()
    server.until("ready")
    assert server.post("hi")[1]["threads"] == str(len(os.sched_getaffinity(0)))
    other = start(env={"OMP_NUM_THREADS": "7"})
    other.until("ready")
    assert other.post("hi")[1]["threads"] == "7"


def test_each_request_has_a_line_in_the_access_log_where_it_is_asked_for(start: Start) -> None:
    server = start("--access-log")
    server.until("ready")
    server.post("hi")
    server.stop()
    assert server.ended() == 0
    (line,) = [json.loads(each) for each in server.output.splitlines() if '"access"' in each]
    assert (line["route"], line["status"]) == ("/invocations", 200)


def test_without_the_packages_for_http_it_says_what_is_missing(start: Start, tmp_path: Path) -> None:
    server = start("--dependencies", str(tmp_path))
    assert server.ended() == 1
    (failed,) = server.found("failed")
    assert "No module named" in failed["message"]
    assert "server_target" in failed["message"]
