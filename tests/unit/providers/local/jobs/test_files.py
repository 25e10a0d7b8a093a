import os
import resource
import signal
import threading
from pathlib import Path

import pytest

from preheat_providers.local.jobs.files import Bodies, write_atomically


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "result.json"
    write_atomically(path, b"a long first answer")
    write_atomically(path, b"short")
    assert path.read_bytes() == b"short"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_was_cut_short_is_taken_up_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        write_atomically(path, b"x" * 20_000)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGXFSZ
    assert [each.suffix for each in tmp_path.iterdir()] == [".tmp"]
    write_atomically(path, b"whole")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"whole"


def test_a_name_as_long_as_a_name_can_be_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 255)
    write_atomically(path, b"x")
    assert path.read_bytes() == b"x"


def test_many_writers_of_one_file_leave_one_whole_content(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    bodies = [bytes([number]) * 50_000 for number in range(1, 9)]
    failures: list[BaseException] = []

    def write(body: bytes) -> None:
        try:
            for _ in range(20):
                write_atomically(path, body)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    threads = [threading.Thread(target=write, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    seen = set()
    while any(thread.is_alive() for thread in threads):
        if path.exists():
            seen.add(path.read_bytes())
    for thread in threads:
        thread.join()
    assert failures == []
    assert seen <= set(bodies)
    assert path.read_bytes() in bodies
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_content_and_no_part(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.mkdir()
    with pytest.raises(OSError):
        write_atomically(path, b"x")
    assert list(tmp_path.iterdir()) == [path]


def test_a_sweep_keeps_what_is_named(tmp_path: Path) -> None:
    bodies = Bodies(tmp_path / "bodies")
    bodies.sweep(set())
    bodies.write("a", b"1")
    bodies.write("b", b"2")
    bodies.sweep({"a"})
    assert bodies.read("a") == b"1"
    with pytest.raises(FileNotFoundError):
        bodies.read("b")
