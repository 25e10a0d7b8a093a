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


PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n  BKcwggSjAgEAAoIBAQC7\r\n}\n"


@pytest.mark.parametrize("indent", ["", "    "])
def test_a_secret_of_several_lines_is_hidden_line_by_line(log: FunctionLog, indent: str) -> None:
    log.hide({"KEY": PEM})
    for line in f"the key:\n{PEM}".splitlines():
        log.output("w1", indent + line)
    log.write("error", "setup-failed", "no", traceback=f"ValueError: {PEM}")
    assert [event["message"].strip() for event in events(log)] == ["the key:", "***", "***", "***", "}", "no"]
    assert events(log)[-1]["traceback"].strip() == "ValueError: ***"


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("secret", ['p"ss\\w0rd-é', PEM], ids=["quoted", "PEM"])
def test_a_secret_is_hidden_also_as_json_has_it(log: FunctionLog, secret: str, ascii_only: bool) -> None:
    log.hide({"KEY": secret})
    log.output("w1", json.dumps({"level": "info", "key": secret.strip()}, ensure_ascii=ascii_only))
    log.output("w1", json.dumps({"level": "info", "line": secret.splitlines()[0]}, ensure_ascii=ascii_only))
    assert [event["message"] for event in events(log)] == [
        '{"level": "info", "key": "***"}',
        '{"level": "info", "line": "***"}',
    ]


def test_the_end_of_line_of_a_file_is_no_part_of_a_secret(log: FunctionLog) -> None:
    log.hide({"KEY": "hunter2\n", "SPACES": "      "})
    log.output("w1", "key=hunter2      for us")
    assert events(log)[0]["message"] == "key=***      for us"


def test_a_worker_names_fields_and_events_as_it_likes(log: FunctionLog) -> None:
    log.hide({"KEY": "hunter22"})
    log.output("w1", '{"message": "m", "event": "hunter22", "hunter22": {"hunter22": 1}, "self": 2}')
    (event,) = events(log)
    assert (event["event"], event["***"], event["self"]) == ("***", {"***": 1}, 2)


def test_nothing_in_a_line_acts_on_a_terminal(log: FunctionLog) -> None:
    async def follow() -> str | None:
        follower = log.follow()
        log.output("w1", "größer \x1b[2J \x9b2J \u202e")
        return await follower.get()

    line = asyncio.run(follow())
    assert [line] == list(log.lines())
    assert r"größer \u001b[2J \u009b2J \u202e" in str(line)


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
