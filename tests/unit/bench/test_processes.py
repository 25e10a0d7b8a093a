"""Reading /proc."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.bench.serving.processes import family, kilobytes, parent_and_ticks, usage


def test_a_name_with_spaces_and_parentheses_does_not_shift_the_fields() -> None:
    stat = "42 (a ) b) S 7 42 42 0 -1 4194560 100 0 0 0 11 22 5 6 20 0 1 0 999 1000 10"
    assert parent_and_ticks(stat) == (7, 33)


@pytest.mark.parametrize(("name", "value"), [("Pss", 120), ("Rss", 300), ("Swap", 0)])
def test_a_line_of_a_rollup_is_found_by_its_whole_name(name: str, value: int) -> None:
    rollup = "00400000-7fff ---p 00000000 00:00 0 [rollup]\nRss:  300 kB\nPss_Dirty:  5 kB\nPss:  120 kB\n"
    assert kilobytes(rollup, name) == value


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process


def test_the_descendants_of_this_process_are_counted_with_it(child: subprocess.Popen[str]) -> None:
    assert {os.getpid(), child.pid} <= set(family(os.getpid()))
    assert usage(os.getpid()).processes >= 2
    assert usage(child.pid).rss_mb > usage(child.pid).pss_mb > 0
    assert usage(child.pid).processes == 1
    assert usage(child.pid).files >= 3


def test_a_process_that_has_ended_uses_nothing(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()
    assert usage(child.pid).processes == 0
