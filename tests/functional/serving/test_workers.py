"""A server with several workers: the real processes, over sockets."""

import http.client
import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.servers import UPPER, ServerProcess, pid_of
from tests.functional.serving.test_one_process import GATED, begin, gate_in

pytestmark = pytest.mark.runtime

Start = Callable[..., ServerProcess]


def ask_on(connection: http.client.HTTPConnection, text: str = "hi") -> int:
    """Send one request on a connection that stays open; return which process answered."""
    connection.request("POST", "/invocations", json.dumps(text), {"content-type": "application/json"})
    answer = connection.getresponse()
    return pid_of((answer.status, json.loads(answer.read())))


def pids_of(server: ServerProcess) -> list[int]:
    return [event["pid"] for event in server.found("ready")]


def test_workers_are_forked_from_one_setup_and_share_the_connections_evenly(start: Start) -> None:
    server = start("--workers", "2")
    server.until("ready", times=2)
    connections = [server.connect() for _ in range(8)]
    assert Counter(ask_on(each) for each in connections) == dict.fromkeys(pids_of(server), 4)
    status, answer = server.post("hi")
    assert status == 200
    assert answer["setup"] == str(server.process.pid)
    assert answer["threads"] == str(max(1, len(os.sched_getaffinity(0)) // 2))


def test_a_connection_goes_to_the_worker_with_the_fewest_open_ones(start: Start) -> None:
    server = start("--workers", "2")
    server.until("ready", times=2)
    held = [server.connect() for _ in range(4)]
    by_pid: dict[int, list[http.client.HTTPConnection]] = {}
    for each in held:
        by_pid.setdefault(ask_on(each), []).append(each)
    freed, _ = by_pid
    for each in by_pid[freed]:
        each.close()
    later = [server.connect() for _ in range(2)]
    # The host hears of the closed ones in its own time; a request that is answered after them is proof.
    while pid_of(server.post("hi")) != freed:
        pass
    assert [ask_on(each) for each in later] == [freed, freed]


def test_a_killed_worker_is_replaced_and_the_other_goes_on(start: Start) -> None:
    server = start("--workers", "2")
    server.until("ready", times=2)
    first, second = server.connect(), server.connect()
    killed, other = ask_on(first), ask_on(second)
    os.kill(killed, signal.SIGKILL)
    assert ask_on(second) == other
    assert "SIGKILL" in server.until("worker-ended")[0]["message"]
    assert ask_on(second) == other
    (*_, replaced) = server.until("ready", times=3)
    third = server.connect()
    assert ask_on(third) == replaced["pid"], "it has no connection, and the other has one"


def test_a_host_hears_who_is_ready_before_it_hands_out_a_connection(start: Start, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    restore = f"""def restore(self, ctx):
            if os.path.exists({str(gate)!r}): open({str(gate)!r}).close()
        def examples"""
    server = start("--workers", "2", source=UPPER.replace("def examples", restore))
    server.until("ready", times=2)
    other, killed = ask_on(server.connect()), ask_on(server.connect())
    os.mkfifo(gate)
    os.kill(killed, signal.SIGKILL)
    with gate.open("w"):  # opens when the next worker is at its restore
        server.stop(signal.SIGSTOP)
    (*_, replaced) = server.until("ready", times=3)
    third = server.connect()
    third.connect()
    server.stop(signal.SIGCONT)
    assert other != killed
    assert ask_on(third) == replaced["pid"], "it has no connection, and the other has one"


def test_a_worker_that_keeps_crashing_is_started_again_with_growing_pauses(start: Start) -> None:
    server = start("--workers", "2")
    server.until("ready", times=2)
    for count in (3, 4):
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            server.post("die")
        server.until("ready", times=count)
    assert all("exit code 7" in event["message"] for event in server.found("worker-ended"))


def test_a_worker_that_is_told_to_stop_answers_what_it_has_and_is_replaced(start: Start) -> None:
    server = start("--workers", "2")
    server.until("ready", times=2)
    os.kill(pids_of(server)[0], signal.SIGTERM)
    server.until("ready", times=3)
    assert "exit code 0" in server.found("worker-ended")[0]["message"]
    server.until_printed("torn down\n")
    assert server.output == "torn down\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_drain_ends_every_worker_after_its_teardown(start: Start, number: int) -> None:
    server = start("--workers", "2")
    server.until("ready", times=2)
    with server.connect_raw() as idle:
        server.stop(number)
        assert idle.recv(1) == b""
    assert server.ended() == 0
    assert server.output == "torn down\ntorn down\n"
    assert list(server.tmp.iterdir()) == []


def test_a_signal_to_all_is_no_repetition_for_a_worker_that_hears_the_host_first(
    start: Start, tmp_path: Path
) -> None:
    gate, server = gate_in(tmp_path), start("--workers", "2", source=GATED)
    server.until("ready", times=2)
    with begin(server, gate) as connection:
        for pid in pids_of(server):
            os.kill(pid, signal.SIGSTOP)
        server.stop()
        server.until("draining")  # so the host has told them
        for number in (signal.SIGTERM, signal.SIGCONT):
            for pid in pids_of(server):
                os.kill(pid, number)
        server.until("draining", times=3)
        gate.write_text("done")
        assert connection.recv(10_000).startswith(b"HTTP/1.1 200 ")
    assert server.ended() == 0


def test_workers_end_with_a_host_that_was_killed(start: Start) -> None:
    server = start("--workers", "2")
    server.until("ready", times=2)
    server.process.kill()
    server.process.wait()
    assert server.ended() == -signal.SIGKILL
    assert server.output == "torn down\ntorn down\n", "their output ended, so both are gone"


def test_a_setup_that_a_fork_would_break_gets_fresh_processes_and_the_log_says_why(start: Start) -> None:
    threaded = UPPER.replace(
        "self.setup_pid = os.getpid()",
        "self.setup_pid = os.getpid(); threading.Thread(target=threading.Event().wait, daemon=True).start()",
    )
    server = start("--workers", "2", source=threaded)
    server.until("ready", times=2)
    (event,) = server.found("not-forked")
    assert "1 more threads running" in event["message"]
    connections = [server.connect() for _ in range(2)]
    assert {ask_on(each) for each in connections} == set(pids_of(server))
    assert server.process.pid not in pids_of(server)
    answer = server.post("hi")[1]
    assert answer["setup"] == answer["pid"]
    os.kill(pids_of(server)[0], signal.SIGKILL)
    server.until("ready", times=3)
    server.stop()
    assert server.ended() == 0
    assert list(server.tmp.iterdir()) == []


@pytest.mark.parametrize("phase", ["setup", "restore"])
def test_a_phase_that_fails_ends_the_server(start: Start, phase: str) -> None:
    server = start(
        "--workers",
        "2",
        source=f"""
        import preheat
        class Model(preheat.Handler):
            def {phase}(self, ctx): raise ValueError("no weights")
            def predict(self, text: str) -> str: return text
        """,
    )
    assert server.ended() == 1
    assert {event["phase"] for event in server.found("failed")} == {phase}
    assert list(server.tmp.iterdir()) == []


def test_whichever_worker_is_asked_for_metrics_answers_for_all(start: Start) -> None:
    server = start("--workers", "2")
    server.until("ready", times=2)
    answered = Counter(pid_of(server.post("hi")) for _ in range(6))
    assert len(answered) == 2
    for _ in range(2):
        status, text = server.get("/metrics")
        assert status == 200
        lines = text.decode().splitlines()
        counts = [line for line in lines if line.startswith("preheat_requests_total{")]
        assert sum(float(line.rsplit(" ", 1)[1]) for line in counts) == 6
        assert {'worker="0"', 'worker="1"'} == {line.split("{")[1].split(",")[0] for line in counts}
        assert lines.count("# TYPE preheat_requests_total counter") == 1
        assert 'preheat_worker_up{worker="1"} 1.0' in lines
