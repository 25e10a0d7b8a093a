"""Tasks in processes of their own."""

import os
from pathlib import Path

import numpy as np
import pytest

from preheat.bundle.interpreter import Interpreter, base_interpreter
from preheat.tuning.child import Child, TaskFailed

PACKAGES = Path(np.__file__).parents[1]


def child(tmp_path: Path, *path: Path) -> Child:
    interpreter = Interpreter(base_interpreter(), "3", "cpython")
    return Child(interpreter, list(path), {"PATH": os.environ["PATH"]}, tmp_path)


def test_a_task_runs_with_the_given_packages_and_answers(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", y=np.ones(3))
    pair = [str(tmp_path / "a.npz")] * 2
    answer = child(tmp_path, PACKAGES).run("compare", {"pairs": [pair]})
    assert answer["deviations"][0]["identical"] is True


def test_a_task_that_raises_fails_in_one_line_with_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(TaskFailed) as raised:
        child(tmp_path).run("compare", {"pairs": []})
    assert raised.value.message == "ModuleNotFoundError: No module named 'numpy'"
    assert "compare.py" in raised.value.traceback


def test_a_process_that_dies_fails_with_its_signal(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("import os\nos.kill(os.getpid(), 11)\n")
    with pytest.raises(TaskFailed, match="ended by SIGSEGV"):
        child(tmp_path, tmp_path).run("compare", {"pairs": []})


def test_a_task_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("import signal\nsignal.pause()\n")
    with pytest.raises(TaskFailed, match=r"longer than 0\.5 s"):
        child(tmp_path, tmp_path).run("compare", {"pairs": []}, limit_s=0.5)


def test_what_a_library_prints_does_not_spoil_the_answer(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("print('{\"ok\": 1}')\n")
    assert child(tmp_path, tmp_path).run("compare", {"pairs": []}) == {"deviations": []}
