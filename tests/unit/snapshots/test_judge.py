from typing import Any

import pytest

from preheat.findings import Finding
from preheat.snapshots.judge import judge


def find(path: str, message: str, fix: str | None) -> Finding:
    return Finding(message=message, key=path, fix=fix)


def run(
    digests: tuple[str, str], *, kind: str = "value", restore_ms: float = 1.0, **setup: Any
) -> dict[str, Any]:
    """An answer of the probe with one value, at `self.x`, in each of two copies."""
    copies = [{"restore_ms": restore_ms, "values": {"self.x": {"kind": kind, "digest": d}}} for d in digests]
    return {"setup": {"threads": [], "opened": [], "found": [], **setup}, "copies": copies}


@pytest.mark.parametrize(
    ("first", "second", "frozen"),
    [
        (("a", "a"), ("b", "b"), True),
        (("a", "a"), ("a", "a"), False),
        (("a", "b"), ("c", "d"), False),
    ],
    ids=["made by each setup", "a constant", "made by each restore"],
)
def test_a_value_is_frozen_if_each_setup_makes_it_and_its_copies_share_it(
    first: tuple[str, str], second: tuple[str, str], frozen: bool
) -> None:
    assert [finding.key for finding in judge(run(first), run(second), find)] == ["self.x"] * frozen


@pytest.mark.parametrize(("second", "frozen"), [("a", True), ("b", False)], ids=["kept", "made again"])
def test_a_day_that_restore_leaves_is_frozen_though_all_setups_make_the_same(
    second: str, frozen: bool
) -> None:
    answer = run(("a", second), kind="day")
    assert [finding.key for finding in judge(answer, answer, find)] == ["self.x"] * frozen


def test_small_values_say_nothing() -> None:
    assert judge(run(("a", "a"), kind="small"), run(("b", "b"), kind="small"), find) == ()


@pytest.mark.parametrize(("restore_ms", "count"), [(10_000.0, 0), (10_001.0, 1)])
def test_restore_has_ten_seconds(restore_ms: float, count: int) -> None:
    answer = run(("a", "a"), restore_ms=restore_ms)
    assert len(judge(answer, answer, find)) == count


def test_a_gpu_that_is_open_is_named() -> None:
    answer = run(("a", "a"), opened=["/dev/nvidia0", "/dev/nvidiactl", "/tmp/x"])
    (finding,) = judge(answer, answer, find)
    assert "/dev/nvidia0, /dev/nvidiactl)" in finding.message


def test_sockets_that_have_a_path_are_told_once() -> None:
    socket = {"path": "self.s", "kind": "socket", "what": "socket.socket"}
    answer = run(("a", "a"), opened=["socket:[1]", "socket:[2]"], found=[socket])
    messages = [finding.message for finding in judge(answer, answer, find)]
    assert len(messages) == 2
    assert messages[1].startswith("setup leaves 1 open socket:")
