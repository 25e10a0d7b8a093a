"""Closed-loop load by wrk, one thread on the clients' processor, every answer checked."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.serving.answers import Address, Probe, Vector
from tests.bench.serving.figures import Point
from tests.bench.serving.room import HERE, Room

TIMEOUT_S = 30
DRAIN_S = 60


class LoadFailed(Exception):
    """wrk did not say what it measured."""


def questions(address: Address, expected: Mapping[str, Vector]) -> str:
    """Return the file that load.lua reads."""
    lines = [address.dialect.leading]
    lines += [f"{vector[0]!r}\t{address.dialect.body(text).decode()}" for text, vector in expected.items()]
    return "\n".join(lines) + "\n"


def parse(output: str) -> Point:
    """Return what load.lua printed at the end of wrk's output. Raises LoadFailed."""
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            said = json.loads(line)
            break
    else:
        raise LoadFailed(f"no figures in what wrk printed: {output[-400:]!r}")
    if not said["requests"]:
        raise LoadFailed("no request was answered")
    right = said["requests"] - said["failed"] - said["wrong"]
    return Point(
        rps=right / (said["duration_us"] / 1e6),
        p50_ms=said["p50_us"] / 1000,
        p99_ms=said["p99_us"] / 1000,
        requests=said["requests"],
        failed=said["failed"] + said["broken"],
        wrong=said["wrong"],
    )


def drive(
    room: Room, address: Address, expected: Mapping[str, Vector], *, connections: int, seconds: float
) -> Point:
    """Load `address` with `connections` requests at all times for `seconds`."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "questions"
        file.write_text(questions(address, expected))
        alone = connections == 1
        command = [
            *("taskset", "--cpu-list", str(room.client_cpu), "wrk", "--threads", "1"),
            *("--connections", str(connections), "--duration", f"{max(1, round(seconds))}s"),
            *("--timeout", f"{TIMEOUT_S}s", "--script", str(HERE / "load.lua")),
            *(address.url, "--", str(file), "exact" if alone else "any"),
        ]
        if alone:  # a second caller would change what is measured, and wrk itself knows the question
            return parse(_output(command, seconds))
        with Probe(address, expected) as probe:
            point = parse(_output(command, seconds))
        return point.with_probe(probe.checked, len(probe.wrong))


def _output(command: list[str], seconds: float) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + DRAIN_S)
    if done.returncode:
        raise LoadFailed(f"wrk ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    return done.stdout
