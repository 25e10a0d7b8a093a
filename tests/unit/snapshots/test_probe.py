import fcntl
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.patience import PATIENCE_S

from preheat.snapshots.probe import copy


def written_to() -> set[int]:
    """Return the descriptors of this process that are open for writing alone."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        try:
            flags = fcntl.fcntl(int(path.name), fcntl.F_GETFL)
        except OSError:
            continue  # that of the listing
        if flags & os.O_ACCMODE == os.O_WRONLY:
            found.add(int(path.name))
    return found


def test_a_copy_answers_with_what_is_found_there() -> None:
    assert copy(lambda: {"pid": os.getpid(), "text": "x" * 200_000}, PATIENCE_S)["text"] == "x" * 200_000


@pytest.mark.parametrize(("stop", "limit_s"), [(lambda: os._exit(1), PATIENCE_S), (signal.pause, 0.5)])
def test_half_an_answer_is_a_copy_that_failed(stop: Callable[[], object], limit_s: float) -> None:
    before = written_to()

    def look_there() -> dict[str, Any]:
        (answer,) = written_to() - before
        os.write(answer, b'{"restore_ms": 1.0, "val')
        stop()
        raise AssertionError("it went on")

    assert "did not end within" in copy(look_there, limit_s)["failed"]
