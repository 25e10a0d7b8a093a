"""Tests that interrupt a process find one that hears them, also in a run that was started deaf to SIGINT."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.fakes.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
HEARD = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
DEAF = f"""
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
subprocess.run([sys.executable, "-c", {HEARD!r}], check=True)
from tests.fakes.interrupts import interrupts_heard
with interrupts_heard():
    subprocess.run([sys.executable, "-c", {HEARD!r}], check=True)
subprocess.run([sys.executable, "-c", {HEARD!r}], check=True)
"""


def test_children_hear_interrupts_while_it_lasts() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DEAF], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.stdout.split() == ["False", "True", "False"], done.stderr


def test_this_run_hears_them() -> None:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
