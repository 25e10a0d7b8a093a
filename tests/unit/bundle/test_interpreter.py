import platform
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from preheat.bundle.interpreter import base_interpreter, find_interpreter, native_platform, probe, runs_here
from preheat.bundle.model import Target

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
MACHINE = platform.machine()


def test_the_running_version_is_found_outside_of_the_virtual_environment() -> None:
    found = find_interpreter(RUNNING)
    assert found is not None
    assert found.version == platform.python_version()
    assert found.tag == sys.implementation.cache_tag
    assert not (found.path.parent.parent / "pyvenv.cfg").exists()


def test_a_shim_that_refuses_to_start_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shims = tmp_path / "shims"
    shims.mkdir()
    for name, text in (("3.98", "exit 127"), ("3.99", "exit 127")):
        (shims / f"python{name}").write_text(f"#!/bin/sh\n{text}\n")
        (shims / f"python{name}").chmod(0o755)
    real = tmp_path / "versions" / "3.99.1" / "bin" / "python3.99"
    real.parent.mkdir(parents=True)
    real.write_text(f'#!/bin/sh\necho \'["{real}", "3.99.1", "cpython", "cpython-399"]\'\n')
    real.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shims}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    found = find_interpreter("3.99")
    assert found is not None
    assert (found.path, found.version, found.tag) == (real, "3.99.1", "cpython-399")
    assert find_interpreter("3.98") is None


@pytest.mark.parametrize(
    "answer",
    ["", "no json", '["/x", "3.99.1", "pypy", "pypy399"]', '["/x", "3.9.9", "cpython", "cpython-39"]'],
)
def test_what_is_not_that_cpython_is_no_candidate(tmp_path: Path, answer: str) -> None:
    program = tmp_path / "python3.99"
    program.write_text(f"#!/bin/sh\necho '{answer}'\n")
    program.chmod(0o755)
    assert probe(program, "3.99") is None
    assert probe(tmp_path / "missing", "3.99") is None


def test_the_base_interpreter_is_the_running_version() -> None:
    found = probe(base_interpreter(), RUNNING)
    assert found is not None


@pytest.mark.skipif(sys.platform != "linux", reason="the names are of Linux platforms")
@pytest.mark.parametrize(
    ("name", "runs"),
    [
        (f"{MACHINE}-manylinux2014", True),
        (f"{MACHINE}-manylinux_2_17", True),
        (f"{MACHINE}-manylinux_2_99", False),
        (f"{MACHINE}-musllinux_1_2", False),
        ("riscv64-manylinux_2_17", False),
        ("windows", False),
        ("macos", False),
    ],
)
def test_a_bundle_runs_where_processor_and_c_library_fit(name: str, runs: bool) -> None:
    target = Target(provider="local", platform=name, python=RUNNING)
    assert runs_here(target) is runs
    assert runs_here(replace(target, python="3.99")) is runs


def test_this_machine_has_a_platform_name_that_uv_knows() -> None:
    assert re.fullmatch(r"\w+-(manylinux_2_\d+|unknown-linux-musl|apple-darwin)", native_platform())
