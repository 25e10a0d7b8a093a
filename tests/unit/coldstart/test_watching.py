import socket
import subprocess
import sys
import time

import pytest

from preheat.coldstart.watching import WatchedProcess
from preheat.errors import HandlerError

PAUSE = "import signal; signal.pause()"
TELLS = """import signal, sys
sys.stderr.write('{"event": "ready", "n": 7}\\n')
signal.pause()"""


def watched(code: str, *, limit_s: float = 30.0, given: bytes = b"") -> WatchedProcess:
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    watch = WatchedProcess(process, began_ns=time.monotonic_ns(), limit_s=limit_s)
    watch.give(given)
    return watch


def test_an_event_is_noticed_with_its_time() -> None:
    with watched(TELLS) as watch:
        assert watch.logged("ready")["n"] == 7
        at_ns = watch.logged_ns("ready")
        assert at_ns is not None
        assert watch.began_ns < at_ns < time.monotonic_ns()
        assert watch.logged_ns("another") is None


def test_a_process_that_ends_silently_is_told_with_its_exit_code() -> None:
    with watched("raise SystemExit(3)") as watch, pytest.raises(HandlerError, match="exit code 3") as caught:
        watch.logged("ready")
    assert "nothing to standard error" in caught.value.message


def test_a_process_that_ends_before_it_has_read_all_is_told_with_its_exit_code() -> None:
    with (
        watched("raise SystemExit(3)", given=b"x" * 1_000_000) as watch,
        pytest.raises(HandlerError, match="exit code 3"),
    ):
        watch.logged("ready")


def test_its_own_reason_is_told_where_it_gave_one() -> None:
    code = """import sys
sys.stderr.write('{"event": "failed", "message": "setup said no", "traceback": "in app.py"}\\n')"""
    with watched(code) as watch, pytest.raises(HandlerError) as caught:
        watch.logged("ready")
    assert caught.value.message == "setup said no\nin app.py"


def test_the_end_of_what_it_wrote_is_told_otherwise() -> None:
    with watched("raise ValueError('lost')") as watch, pytest.raises(HandlerError, match="lost"):
        watch.logged("ready")


def test_a_process_that_hangs_is_given_up_at_its_limit() -> None:
    with watched(PAUSE, limit_s=0.2) as watch:
        with pytest.raises(HandlerError, match=r"not through after 0\.2 s") as caught:
            watch.logged("ready")
        assert caught.value.hint is not None
        assert "setup_s" in caught.value.hint


def test_leaving_ends_the_process_and_what_it_started() -> None:
    code = """import os, signal, sys
if os.fork() == 0:
    signal.pause()
sys.stderr.write('{"event": "ready"}\\n')
signal.pause()"""
    with watched(code) as watch:
        watch.logged("ready")
    assert watch.log == '{"event": "ready"}\n'  # the reader has seen the end of both


def test_waiting_for_a_descriptor_notices_the_end() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, watched("pass") as watch, pytest.raises(HandlerError, match="exit code 0"):
        watch.readable(ours.fileno())


def test_waiting_for_a_descriptor_ends_at_the_limit() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, watched(PAUSE, limit_s=0.2) as watch, pytest.raises(HandlerError, match="not through"):
        watch.readable(ours.fileno())


def test_memory_is_that_of_the_process_and_not_of_who_started_it() -> None:
    mine = bytearray(60_000_000)
    code = f"held = bytearray(20_000_000)\n{TELLS}"
    with watched(code) as watch:
        watch.logged("ready")
        used = watch.ended()
    assert len(mine) > used.rss_bytes > 20_000_000
    assert used.cpu_ms > 0
