import subprocess
import sys

import pytest

# The process sends itself a signal at the import of click, with SIGINT heard as from a terminal.
SIGNALLED = """
import os, signal, sys

class Sends:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), signal.{name})

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Sends())
from preheat.cli.entry import {program}
sys.exit({program}())
"""


@pytest.mark.parametrize("program", ["preheat", "deploy"])
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_interrupt_while_it_imports_is_no_traceback(program: str, name: str, code: int) -> None:
    source = SIGNALLED.format(name=name, program=program)
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")
