"""The probe as a process of its own, before scripts that the tests write."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.fake_onnxruntime import lay_onnxruntime

from preheat.coldstart.starting import PROBE

FRAMEWORK = Path(__file__).parents[3] / "framework"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    lay_onnxruntime(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"weights")
    return tmp_path


def probed(
    place: Path, script: str, *arguments: str, **settings: Any
) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
    """Run `script` behind the probe, with `place` on its path; return how it ended and what was told."""
    file = place / "script.py"
    head = f"import sys\nsys.path[:0] = [{str(place)!r}, {str(FRAMEWORK)!r}]\n"
    file.write_text(head + textwrap.dedent(script))
    marks = place / "marks"
    usual = {"marks": str(marks), "tell": False, "absent": [], "threads": None}
    command = [sys.executable, "-I", "-S", "-B", str(PROBE), json.dumps(usual | settings), str(file)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False)
    return done, [json.loads(line) for line in marks.read_text().splitlines()]


def test_a_script_runs_as_if_python_had_been_started_with_it(place: Path) -> None:
    script = """
        import __main__
        if __name__ == "__main__":
            print(sys.argv[1:], __main__.__file__ == __file__, sys.argv[0] == __file__, "probe" in dir())
    """
    done, _ = probed(place, script, "serve", "-x")
    assert done.stdout == "['serve', '-x'] True True False\n"


def test_its_exit_code_is_the_scripts(place: Path) -> None:
    done, _ = probed(place, "sys.exit(3)")
    assert done.returncode == 3


def test_phases_of_a_start_are_told_when_they_end_well(place: Path) -> None:
    script = """
        from preheat.runtime.loader import PhaseClock
        clock = PhaseClock()
        with clock.phase("import"):
            pass
        with clock.phase("setup"):
            raise ValueError
    """
    done, marks = probed(place, script)
    assert [(mark["event"], mark["name"]) for mark in marks] == [("up", "interpreter"), ("phase", "import")]
    assert marks[0]["from"] < marks[1]["from"] <= marks[1]["to"]
    assert "PhaseFailed" in done.stderr


def test_phases_are_said_on_standard_error_where_that_is_asked_for(place: Path) -> None:
    script = """
        from preheat.runtime.loader import PhaseClock
        with PhaseClock().phase("warm-up"):
            print("within", file=sys.stderr)
    """
    done, _ = probed(place, script, tell=True)
    assert done.stderr == "preheat-phase: warm-up begins\nwithin\npreheat-phase: warm-up ends\n"


def test_a_session_is_told_with_its_file_and_its_threads(place: Path) -> None:
    script = f"""
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 3
        session = onnxruntime.InferenceSession({str(place / "model.onnx")!r}, options)
        print(session.model, session.threads)
    """
    done, marks = probed(place, script)
    assert done.stdout == "b'weights' 3\n"
    (load,) = [mark for mark in marks if mark["event"] == "load"]
    assert load["name"] == "onnxruntime.InferenceSession"
    assert (load["file"], load["threads"]) == (str((place / "model.onnx").resolve()), 3)


@pytest.mark.parametrize(
    "options", ["", "sess_options=onnxruntime.SessionOptions()", "onnxruntime.SessionOptions()"]
)
def test_a_session_can_be_opened_with_other_threads(place: Path, options: str) -> None:
    script = f"""
        import onnxruntime
        print(onnxruntime.InferenceSession({str(place / "model.onnx")!r}, {options}).threads)
    """
    assert probed(place, script, threads=2)[0].stdout == "2\n"


def test_a_module_that_is_absent_can_be_imported(place: Path) -> None:
    script = """
        import sqlite3, xmlrpc.client as rpc
        from sqlite3 import connect
        from sqlite3.dbapi2 import Row
        import sqlite3.dump
        print("sqlite3" in sys.modules, "_sqlite3" in sys.modules)
    """
    done, _ = probed(place, script, absent=["sqlite3", "xmlrpc.client"])
    assert done.stdout == "True False\n"


@pytest.mark.parametrize(
    "use",
    [
        "sqlite3.connect(':memory:')",
        "connect(':memory:')",
        "class Mine(sqlite3.Row): pass",
        "@connect\ndef f(): pass",
    ],
)
def test_a_module_that_is_absent_cannot_be_used(place: Path, use: str) -> None:
    done, _ = probed(place, "import sqlite3\nfrom sqlite3 import connect\n" + use, absent=["sqlite3"])
    assert done.returncode == 1
    assert "Error" in done.stderr


def test_a_module_whose_name_only_begins_alike_is_there(place: Path) -> None:
    done, _ = probed(place, "import json.decoder\nprint(json.decoder.JSONDecoder)", absent=["json.deco"])
    assert "JSONDecoder" in done.stdout
