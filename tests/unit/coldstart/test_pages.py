import os
from pathlib import Path

import pytest

from preheat.coldstart.pages import files_below, forget, forget_everything, read_ms
from preheat.errors import PreheatError


def test_files_are_found_at_every_depth(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    files = {tmp_path / "one", tmp_path / "a" / "b" / "two"}
    for file in files:
        file.write_bytes(b"x")
    assert set(files_below([tmp_path])) == files


def is_cached(file: Path) -> bool:
    """Return whether the page cache holds the beginning of `file`."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        return os.preadv(descriptor, [bytearray(10)], 0, os.RWF_NOWAIT) > 0
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)


def test_what_is_forgotten_comes_from_storage_again(tmp_path: Path) -> None:
    if not os.major(tmp_path.stat().st_dev):
        pytest.skip("no disk below this folder: what it holds is nowhere but in memory")
    file = tmp_path / "weights"
    file.write_bytes(b"x" * 10_000)  # not on the disk yet
    assert is_cached(file)
    forget([file])
    assert not is_cached(file)


def test_forgetting_leaves_files_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"x" * 10_000)
    forget([file])
    assert file.read_bytes() == b"x" * 10_000


def test_the_whole_cache_is_dropped_by_the_kernels_own_switch(tmp_path: Path) -> None:
    switch = tmp_path / "drop_caches"
    switch.write_text("0")
    forget_everything(switch)
    assert switch.read_text() == "1"


def test_who_may_not_drop_the_whole_cache_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(PreheatError, match="cannot be dropped") as caught:
        forget_everything(tmp_path / "no" / "drop_caches")
    assert caught.value.hint is not None
    assert "--drop-caches" in caught.value.hint


def test_reading_takes_some_time(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"x" * 3_000_000)
    assert read_ms([tmp_path / "weights"]) > 0
    assert read_ms([]) >= 0
