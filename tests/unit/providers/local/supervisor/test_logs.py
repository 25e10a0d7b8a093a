import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from preheat_providers.local.supervisor.logs import FunctionLog


@pytest.fixture
def log(tmp_path: Path) -> Iterator[FunctionLog]:
    log = FunctionLog(tmp_path / "logs" / "demo@dev.jsonl", now=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    yield log
    log.close()


def events(log: FunctionLog) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.lines()]


def test_an_event_is_one_json_object_a_line(log: FunctionLog) -> None:
    log.write("info", "deploy", "release 1\nserves", digest="sha256:0", nothing=None)
    assert events(log) == [
        {
            "time": "2026-01-02T00:00:00.000Z",
            "level": "info",
            "event": "deploy",
            "message": "release 1\nserves",
            "digest": "sha256:0",
        }
    ]


def test_a_line_that_a_worker_prints_is_an_event_and_json_keeps_its_fields(log: FunctionLog) -> None:
    log.output("w1", "loading")
    log.output("w1", "")
    log.output("w1", '{"level": "error", "event": "predict-failed", "message": "no", "time": "x", "n": 1}')
    log.output("w1", '{"level": "loud", "message": "odd"}')
    log.output("w1", '{"broken')
    found = [(each["level"], each["event"], each["message"], each["worker"]) for each in events(log)]
    assert found == [
        ("info", "output", "loading", "w1"),
        ("error", "predict-failed", "no", "w1"),
        ("info", "output", "odd", "w1"),
        ("info", "output", '{"broken', "w1"),
    ]
    assert events(log)[1]["n"] == 1


def test_a_secret_never_reaches_the_file_wherever_it_stands(log: FunctionLog) -> None:
    log.hide({"KEY": "hunter22", "SHORT": "ab"})
    log.write("info", "output", "key=hunter22", traceback="hunter22", list=[{"deep": "xhunter22x"}])
    text = "".join(log.lines())
    assert "hunter22" not in text
    assert text.count("***") == 3


def test_a_large_log_is_rotated_and_one_old_file_kept(tmp_path: Path) -> None:
    log = FunctionLog(tmp_path / "demo@dev.jsonl", rotate_bytes=500)
    for number in range(40):
        log.write("info", "output", f"line {number}")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["demo@dev.1.jsonl", "demo@dev.jsonl"] or names == ["demo@dev.1.jsonl"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1500
    assert events(log)[-1]["message"] == "line 39"
    assert {path.name for path in log.remove()} == set(names)
    assert list(tmp_path.iterdir()) == []


def test_a_follower_gets_every_event_from_then_on_and_the_end(log: FunctionLog) -> None:
    async def follow() -> list[str | None]:
        log.write("info", "output", "before")
        follower = log.follow()
        log.write("info", "output", "after")
        log.close()
        return [await follower.get(), await follower.get()]

    line, end = asyncio.run(follow())
    assert line is not None
    assert json.loads(line)["message"] == "after"
    assert end is None


def test_a_follower_that_does_not_read_is_bounded(log: FunctionLog) -> None:
    async def flood() -> int:
        follower = log.follow()
        for _ in range(10_500):
            log.write("debug", "output", "x")
        return follower.qsize()

    assert asyncio.run(flood()) == 10_000


def test_a_very_long_line_is_cut(log: FunctionLog) -> None:
    log.output("w1", "x" * 100_000)
    assert len(events(log)[0]["message"]) < 9_000


def test_a_full_disk_loses_lines_but_no_request(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "demo@dev.jsonl"
    path.symlink_to("/dev/full")
    log = FunctionLog(path)
    log.write("info", "output", "lost")
    assert "No space left on device" in caplog.text
    path.unlink()
    log.write("info", "output", "kept")
    assert [event["message"] for event in events(log)] == ["kept"]
    log.close()
