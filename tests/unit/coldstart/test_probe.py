"""The probe as a process of its own, before scripts that the tests write."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.fake_onnxruntime import lay_onnxruntime
from tests.fakes.patience import PATIENCE_S

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
    usual = {"marks": str(marks), "imports": False, "absent": [], "threads": None, "models": {}}
    command = [sys.executable, "-I", "-S", "-B", str(PROBE), json.dumps(usual | settings), str(file)]
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
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
        from preheat.runtime.phases import PhaseClock
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


def lay_modules(place: Path) -> None:
    (place / "outer").mkdir()
    (place / "outer" / "__init__.py").write_text("import inner")
    (place / "outer" / "part.py").write_text("import sqlite3")
    (place / "inner.py").write_text("x = 1")


def imports_in(marks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {mark["name"]: mark for mark in marks if mark["event"] == "import"}


def test_every_import_is_told_with_who_asked_for_it(place: Path) -> None:
    lay_modules(place)
    _, marks = probed(place, "import outer.part", imports=True)
    found = imports_in(marks)
    assert {name: found[name]["by"] for name in ("outer", "inner", "outer.part", "sqlite3", "_sqlite3")} == {
        "outer": None,
        "inner": "outer",
        "outer.part": None,
        "sqlite3": "outer.part",
        "_sqlite3": "sqlite3.dbapi2",
    }
    assert all(mark["from"] < mark["to"] for mark in found.values())


def test_an_import_takes_as_long_as_all_that_it_imports(place: Path) -> None:
    lay_modules(place)
    (place / "inner.py").write_text("sum(range(1_000_000))")
    _, marks = probed(place, "import outer", imports=True)
    found = imports_in(marks)
    inner, outer = (found[name]["to"] - found[name]["from"] for name in ("inner", "outer"))
    assert 1_000_000 < inner < outer


def test_imports_of_two_threads_are_told_apart(place: Path) -> None:
    (place / "first.py").write_text("import sync\nsync.meet()\nimport one\nsync.meet()")
    (place / "second.py").write_text("import sync\nsync.meet()\nimport two\nsync.meet()")
    (place / "sync.py").write_text("import threading\nmeet = threading.Barrier(2, timeout=30).wait")
    for name in ("one", "two"):
        (place / f"{name}.py").touch()
    script = """
        import importlib, sync, threading
        begin = importlib.import_module
        threads = [threading.Thread(target=begin, args=[name]) for name in ("first", "second")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    """
    _, marks = probed(place, script, imports=True)
    found = imports_in(marks)
    assert (found["one"]["by"], found["two"]["by"]) == ("first", "second")


def test_imports_in_a_phase_of_the_handler_are_told_as_such(place: Path) -> None:
    script = """
        from preheat.runtime.phases import PhaseClock
        with PhaseClock().phase("setup"):
            import sqlite3
        import csv
    """
    _, marks = probed(place, script, imports=True)
    found = imports_in(marks)
    assert (found["sqlite3"]["of_handler"], found["csv"]["of_handler"]) == (True, False)


def test_what_a_module_imports_while_it_is_made_is_its_own(place: Path) -> None:
    """As extension modules do: they run code before they have a module to run it in."""
    (place / "inner.py").write_text("x = 1")
    script = """
        from importlib.machinery import ModuleSpec

        class Loader:
            name = "extension"

            def create_module(self, spec):
                import inner

            def exec_module(self, module):
                pass

        class Finder:
            def find_spec(self, name, path, target=None):
                return ModuleSpec(name, Loader()) if name == "extension" else None

        sys.meta_path.append(Finder())
        import extension
    """
    _, marks = probed(place, script, imports=True)
    assert imports_in(marks)["inner"]["by"] == "extension"


def test_an_import_that_fails_leaves_no_one_asking(place: Path) -> None:
    (place / "broken.py").write_text("raise ImportError")
    script = """
        try:
            import broken
        except ImportError:
            import csv
    """
    _, marks = probed(place, script, imports=True)
    assert imports_in(marks)["csv"]["by"] is None
    assert "broken" not in imports_in(marks)


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


@pytest.mark.parametrize("path", ["{path!r}", "path_or_bytes={path!r}"])
def test_a_session_can_be_opened_of_an_optimised_model(place: Path, path: str) -> None:
    (place / "better.onnx").write_bytes(b"optimised")
    model, better = str((place / "model.onnx").resolve()), str(place / "better.onnx")
    script = f"""
        import onnxruntime
        options = onnxruntime.SessionOptions()
        other = {str(place / "script.py")!r}
        for named in ({{}}, {{"sess_options": options}}):
            print(onnxruntime.InferenceSession({path.format(path=model)}, **named).model)
        print(onnxruntime.InferenceSession(other).model[:10])
        print(options.graph_optimization_level, options.entries)
    """
    done, marks = probed(place, script, models={model: better})
    assert done.stdout.splitlines() == [
        "b'optimised'",
        "b'optimised'",
        "b'import sys'",
        "0 {'session.disable_prepacking': '1'}",
    ]
    assert marks[1]["file"] == model  # what the handler has asked for


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
    done, _ = probed(place, "import xmlrpc.client\nprint(xmlrpc.client.ServerProxy)", absent=["xmlrpc.cli"])
    assert "ServerProxy" in done.stdout
