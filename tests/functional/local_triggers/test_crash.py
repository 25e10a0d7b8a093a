"""`kill -9` at any moment: nothing that was acknowledged is lost, and each row is finished once."""

import os
import random
import select
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.fakes.buckets import put, results

from preheat_providers.local.jobs import JobStore

ROOT = Path(__file__).parents[3]
JOBS = 800
OBJECTS = 10
KILLS = 15

AUDIT = """
CREATE TABLE audit (id TEXT, status TEXT);
CREATE TRIGGER finished AFTER UPDATE OF status ON jobs WHEN NEW.status IN ('succeeded', 'failed', 'cancelled')
BEGIN INSERT INTO audit VALUES (NEW.id, NEW.status); END;
"""


def start(home: Path) -> "subprocess.Popen[bytes]":
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.crash_worker", str(home), str(JOBS)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
    )


def read(process: "subprocess.Popen[bytes]", *, until: bytes, within_s: float) -> bytes:
    """Return what the process prints until the line `until`, or until it ends or the time is up."""
    assert process.stdout is not None
    data, end = b"", time.monotonic() + within_s
    while (left := end - time.monotonic()) > 0 and until not in data.split(b"\n"):
        if select.select([process.stdout], [], [], left)[0]:
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                break
            data += chunk
    return data


def run(home: Path, *, begin_s: float, work_s: float, number: int) -> tuple[set[str], bool]:
    """Run the process and kill it; return the ids that it acknowledged and whether it was done.

    The kill comes `begin_s` after the start, or, once it has begun its work, `work_s` later. Half
    of the objects are put while it works and half while nobody does.
    """
    if number % 2 and number <= OBJECTS:
        put(home, f"{number}.png", b"x" * number)
    process = start(home)
    printed = read(process, until=b"started", within_s=begin_s)
    if number % 2 == 0 and number <= OBJECTS:
        put(home, f"{number}.png", b"x" * number)
    if b"started" in printed:
        printed += read(process, until=b"done", within_s=work_s)
    process.kill()
    process.wait()
    assert process.stdout is not None
    printed += process.stdout.read()
    process.stdout.close()
    # A line that the kill cut short was not acknowledged.
    lines = printed.decode().split("\n")[:-1]
    return set(lines) - {"started", "done"}, "done" in lines


def watched(home: Path) -> None:
    """Make the store's file record every end of a row."""
    JobStore(home / "jobs.db").close()
    connection = sqlite3.connect(home / "jobs.db")
    connection.executescript(AUDIT)
    connection.close()


@pytest.mark.runtime
def test_kill_9_at_any_moment_loses_nothing_and_answers_each_once(tmp_path: Path) -> None:
    rng = random.Random(20261121)
    watched(tmp_path)
    acknowledged, done = run(tmp_path, begin_s=60, work_s=0.1, number=0)
    for number in range(1, KILLS + 1):
        begin_s = rng.uniform(0.2, 0.8) if number % 5 == 0 else 60
        ids, done = run(tmp_path, begin_s=begin_s, work_s=rng.uniform(0.005, 0.25), number=number)
        acknowledged |= ids
        assert not done, "the work is too little to be interrupted"
    ids, done = run(tmp_path, begin_s=60, work_s=120, number=0)
    assert done
    acknowledged |= ids
    connection = sqlite3.connect(tmp_path / "jobs.db")
    ends = Counter(row[0] for row in connection.execute("SELECT id FROM audit"))
    rows = connection.execute("SELECT id, kind, status, attempt, failures FROM jobs").fetchall()
    connection.close()
    assert len(acknowledged) == JOBS
    assert acknowledged == {row[0] for row in rows if row[1] == "job"}
    assert set(ends.values()) == {1}
    assert set(ends) == {row[0] for row in rows}
    assert all(status == "succeeded" or failures == 2 for _, _, status, _, failures in rows)
    cut_off = sum(1 for _, _, _, attempt, failures in rows if attempt > failures + 1)
    assert cut_off >= KILLS / 2, "too few attempts were interrupted to show anything"
    objects = {path.name for path in (tmp_path / "buckets/uploads").iterdir()}
    assert len(objects) == OBJECTS + 1
    assert {f"out/{name}.json" for name in objects} == set(results(tmp_path))
