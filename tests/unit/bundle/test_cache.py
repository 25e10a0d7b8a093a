import os
import threading
from pathlib import Path

import pytest

from preheat.bundle.cache import ABANDONED_AFTER_S, Cache


def test_a_folder_that_was_published_first_stays(cache: Cache, tmp_path: Path) -> None:
    final = cache.root / "layers" / "x"
    for content in ("first", "second"):
        with cache.staging() as staging:
            (staging / "x").mkdir()
            (staging / "x" / "file").write_text(content)
            cache.publish(staging / "x", final)
    assert (final / "file").read_text() == "first"


def test_what_fails_half_way_leaves_nothing(cache: Cache) -> None:
    def fail_half_way() -> None:
        with cache.staging() as staging:
            (staging / "half").write_text("done")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert list((cache.root / "tmp").iterdir()) == []


def test_only_what_was_abandoned_is_swept(cache: Cache) -> None:
    with cache.staging() as at_work:
        abandoned = at_work.parent / "abandoned"
        abandoned.mkdir()
        now = at_work.stat().st_mtime
        os.utime(abandoned, (now - ABANDONED_AFTER_S - 1,) * 2)
        cache.sweep(now=now)
        assert at_work.exists()
        assert not abandoned.exists()


def test_one_holder_at_a_time(cache: Cache) -> None:
    order = []
    inside = threading.Event()

    def second() -> None:
        inside.wait()
        with cache.exclusive("key"):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with cache.exclusive("key"):
        inside.set()
        with cache.exclusive("another key"):
            order.append("first")
    thread.join()
    assert order == ["first", "second"]
