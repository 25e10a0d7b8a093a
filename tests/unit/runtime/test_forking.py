import os
import random
import sys
import tempfile
import threading
from pathlib import Path
from types import ModuleType

import pytest

from preheat.runtime.forking import judge_fork, open_files, reseed, work_in


def fake_proc(folder: Path, *, threads: tuple[str, ...] = ("python",), files: tuple[str, ...] = ()) -> Path:
    for number, name in enumerate(threads):
        (folder / "task" / str(number)).mkdir(parents=True)
        (folder / "task" / str(number) / "comm").write_text(name + "\n")
    (folder / "fd").mkdir()
    for number, target in enumerate(files):
        (folder / "fd" / str(number)).symlink_to(target)
    return folder


def test_one_thread_and_plain_files_may_fork(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path, files=("/data/model.onnx", "pipe:[7]"))
    assert judge_fork(frozenset(), proc).safe


def test_threads_are_counted_and_named(tmp_path: Path) -> None:
    fork = judge_fork(frozenset(), fake_proc(tmp_path, threads=("python", "omp", "omp")))
    assert not fork.safe
    assert fork.reason is not None
    assert "2 more threads running (omp, python)" in fork.reason


def test_a_thread_that_ends_while_they_are_counted_is_none(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path)
    (proc / "task" / "7").mkdir()
    assert judge_fork(frozenset(), proc).safe


@pytest.mark.parametrize(
    ("opened", "reason"), [("socket:[42]", "a socket open"), ("/dev/nvidia0", "the GPU (/dev/nvidia0)")]
)
def test_sockets_and_gpus_may_not_be_shared(tmp_path: Path, opened: str, reason: str) -> None:
    fork = judge_fork(frozenset(), fake_proc(tmp_path, files=(opened,)))
    assert fork.reason is not None
    assert reason in fork.reason


def test_what_was_open_before_the_handler_does_not_count(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path, files=("socket:[42]",))
    assert judge_fork(open_files(proc), proc).safe


def test_a_system_without_proc_cannot_tell_and_does_not_fork(tmp_path: Path) -> None:
    assert not judge_fork(frozenset(), tmp_path / "none").safe


def test_a_child_has_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "elsewhere")
    monkeypatch.chdir("/")
    before = tempfile.tempdir
    work_in(tmp_path)
    try:
        assert tempfile.gettempdir() == os.environ["TMPDIR"] == str(Path.cwd()) == str(tmp_path)
    finally:
        tempfile.tempdir = before


def test_generators_that_all_share_are_seeded_anew() -> None:
    random.seed(1)
    first = random.random()
    random.seed(1)
    reseed()
    assert random.random() != first


def test_a_generator_that_another_thread_is_importing_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = ModuleType("gate")
    vars(gate).update(entered=threading.Event(), reseeded=threading.Event(), seeds=[])
    monkeypatch.setitem(sys.modules, "gate", gate)
    monkeypatch.delitem(sys.modules, "random")
    monkeypatch.syspath_prepend(tmp_path)
    source = """\
import gate
gate.entered.set()
gate.early = gate.reseeded.wait(0.1)
seed = lambda: gate.seeds.append(1)
"""
    (tmp_path / "random.py").write_text(source)
    aside = threading.Thread(target=__import__, args=("random",))
    aside.start()
    gate.entered.wait()
    try:
        reseed()
    finally:
        gate.reseeded.set()
        aside.join()
    assert (gate.early, gate.seeds) == (False, [1])
