import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.fakes.patience import PATIENCE_S

from preheat.bundle.interpreter import Interpreter, base_interpreter
from preheat.bundle.script import Ended, run_script

INTERPRETER = Interpreter(base_interpreter(), "3", "cpython")


def ran(folder: Path, source: str, *, limit_s: float = 30.0, **document: object) -> Ended:
    script = folder / "script.py"
    script.write_text(source)
    variables = {"PATH": os.environ["PATH"], "GIVEN": "1"}
    return run_script(INTERPRETER, script, document, variables=variables, folder=folder, limit_s=limit_s)


def test_a_script_reads_one_object_and_writes_one(tmp_path: Path) -> None:
    source = "import json, sys\nprint('noise')\nprint(json.dumps({'got': json.load(sys.stdin)['word']}))"
    assert ran(tmp_path, source, word="ö").last_line == '{"got": "\\u00f6"}'


def test_a_script_sees_its_folder_and_its_variables_alone(tmp_path: Path) -> None:
    source = """import os, sys
print(os.getcwd(), os.environ.get('GIVEN'), 'HOME' in os.environ, 'site' in sys.modules)"""
    assert ran(tmp_path, source).last_line == f"{tmp_path} 1 False False"


@pytest.mark.parametrize(
    ("source", "how"),
    [
        ("import os; os._exit(7)", "ended with exit code 7"),
        ("import os; os.kill(os.getpid(), 11)", "was ended by SIGSEGV"),
        ("print('{}', flush=True); import os; os._exit(2)", "ended with exit code 2"),
    ],
)
def test_a_script_that_dies_has_given_no_answer(tmp_path: Path, source: str, how: str) -> None:
    ended = ran(tmp_path, source)
    assert ended.last_line is None
    assert ended.how == how


def test_a_failure_that_is_told_is_an_answer(tmp_path: Path) -> None:
    assert ran(tmp_path, "print('{}'); raise SystemExit(1)").last_line == "{}"


def test_what_is_no_utf8_is_still_read(tmp_path: Path) -> None:
    assert "\ufffd" in ran(tmp_path, "import os; os.write(2, b'\\xff')").errors


def test_a_script_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    source = f"""import os, signal
if os.fork() == 0:
    held = open({str(pipe)!r}, "w", buffering=1)
    held.write("up\\n")
    signal.pause()
signal.pause()"""
    read: list[bytes] = []

    def reader() -> None:
        with pipe.open("rb") as end:
            read.append(end.read())  # ends when no process holds the other end any more

    thread = threading.Thread(target=reader, daemon=True)
    thread.start()
    with pytest.raises(TimeoutError, match=r"script\.py took longer than 2 s"):
        ran(tmp_path, source, limit_s=2.0)
    thread.join(timeout=PATIENCE_S)
    assert read == [b"up\n"]


def test_an_interrupt_ends_what_was_started(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    source = f"""import json, os, signal, sys
json.load(sys.stdin)
open({str(pipe)!r}, "w").write(str(os.getpid()))
signal.pause()"""
    started: list[int] = []

    def interrupt() -> None:
        started.append(int(pipe.read_text()))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        ran(tmp_path, source)
    thread.join()
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)


def test_a_script_ends_with_the_process_that_runs_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "script.py").write_text(f"""import json, signal, sys
json.load(sys.stdin)  # it comes once the script is tied
held = open({str(pipe)!r}, "w", buffering=1)
held.write("up\\n")
signal.pause()""")
    runs = f"""
from pathlib import Path
from preheat.bundle.interpreter import Interpreter, base_interpreter
from preheat.bundle.script import run_script
folder = Path({str(tmp_path)!r})
interpreter = Interpreter(base_interpreter(), "3", "cpython")
run_script(interpreter, folder / "script.py", {{}}, variables={{}}, folder=folder, limit_s=60.0)
"""
    with subprocess.Popen([sys.executable, "-c", runs]) as runner, pipe.open() as held:
        try:
            assert held.readline() == "up\n"
        finally:
            runner.kill()
        assert held.read() == ""  # ends when no process holds the other end any more
