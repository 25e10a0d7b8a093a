from pathlib import Path

from preheat.bundle.interpreter import Interpreter
from preheat.coldstart.machine import machine

PYTHON = Interpreter(Path("/usr/bin/python3"), "3.12.1", "cpython-312")


def test_the_processor_is_what_the_kernel_calls_it(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some Processor 9\n")
    found = machine(PYTHON, tmp_path)
    assert found["cpu"] == "Some Processor 9"
    assert found["python"] == "3.12.1"
    assert found["cores"] >= 1


def test_a_kernel_that_names_none_still_gives_an_architecture(tmp_path: Path) -> None:
    assert machine(PYTHON, tmp_path)["cpu"]
