import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from preheat.bundle.tether import tether

# The process, and a process of its own, hold the pipe open; each of them waits for ever. It begins once it is
# told that it is tied, as every script of ours does, which reads its input first.
HOLDS = """
import os, signal, sys
assert sys.stdin.read() == "tied"
held = open(sys.argv[1], "w", buffering=1)
os.fork()
held.write("up\\n")
signal.pause()
"""
STARTS = """
import os, signal, subprocess, sys
from preheat.bundle.tether import tether
with tether() as tied:
    command = [sys.executable, "-c", sys.argv[2], sys.argv[1]]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(tied.end,), start_new_session=True)
    tied.tie(process.pid)
    with process.stdin as told:
        told.write(b"tied")
    signal.pause()
"""


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    return pipe


def test_what_is_tied_ends_with_a_process_that_is_killed(pipe: Path) -> None:
    command = [sys.executable, "-c", STARTS, str(pipe), HOLDS]
    with subprocess.Popen(command) as starter, pipe.open() as held:
        try:
            assert [held.readline(), held.readline()] == ["up\n", "up\n"]
        finally:
            starter.kill()
        assert held.read() == ""  # ends when no process holds the other end any more


def test_what_is_tied_ends_with_the_block(pipe: Path) -> None:
    with tether() as tied:
        command = [sys.executable, "-c", HOLDS, str(pipe)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=(tied.end,), start_new_session=True
        )
        tied.tie(process.pid)
        assert process.stdin is not None
        with process.stdin as told:
            told.write(b"tied")
        with pipe.open() as held:
            assert [held.readline(), held.readline()] == ["up\n", "up\n"]
            assert process.poll() is None
    assert process.wait() == -signal.SIGKILL
