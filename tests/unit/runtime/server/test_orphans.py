import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.patience import PATIENCE_S

import preheat

ROOT = Path(preheat.__file__).parents[1]
PROLOGUE = f"""
import os, signal, subprocess, sys
sys.path.insert(0, {str(ROOT)!r})
from preheat.runtime.server.orphans import leave_process_one
first = os.getpid()
leave_process_one()
assert os.getppid() == first
"""
ISOLATED = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]


def start(body: str, *prefix: str) -> "subprocess.Popen[str]":
    command = [*prefix, sys.executable, "-I", "-S", "-c", PROLOGUE + body]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("body", "code"),
    [("os._exit(0)", 0), ("os._exit(7)", 7), ("os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL)],
)
def test_it_ends_as_the_server_does(body: str, code: int) -> None:
    with start(body) as process:
        assert process.wait(PATIENCE_S) == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_are_passed_on(number: signal.Signals) -> None:
    body = """
signal.signal(signal.SIGTERM, lambda *_: os._exit(3))
signal.signal(signal.SIGINT, lambda *_: os._exit(3))
print("up", flush=True)
signal.pause()
"""
    with start(body) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 3


def can_isolate() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*ISOLATED, "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not can_isolate(), reason="needs a process namespace of its own")
def test_as_process_one_it_reaps_orphans() -> None:
    body = """
assert first == 1
# The shell ends at once, and leaves its child to process 1.
subprocess.run(["sh", "-c", "sh -c 'exit 3' & exit 0"], check=True)
orphan = subprocess.run(["sh", "-c", "sleep 0.05 & echo $!"], capture_output=True, text=True, check=True)
pid = int(orphan.stdout)
while os.path.exists(f"/proc/{pid}"):
    pass
print("gone", flush=True)
"""
    with start(body, *ISOLATED) as process:
        assert process.stdout is not None
        assert process.stdout.read() == "gone\n"
        assert process.wait(PATIENCE_S) == 0
    assert os.getpid() != 1
