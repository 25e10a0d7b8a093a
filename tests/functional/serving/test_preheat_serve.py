"""`preheat serve` from a project folder to answers, with packages from the index."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from tests.fakes.patience import PATIENCE_S
from tests.fakes.projects import write_project

pytestmark = [pytest.mark.runtime, pytest.mark.index]

HANDLER = """
import os, sys, preheat

class Model(preheat.Handler):
    def examples(self) -> list[str]:
        return ["Ada"]

    def predict(self, name: str) -> dict[str, str]:
        return {"name": name, "mode": os.environ["MODE"], "pid": str(os.getpid()),
                "isolated": str(not any("site-packages" in place for place in sys.path))}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_project(tmp_path / "demo", '[env]\nMODE = "quick"\n', handler=HANDLER)


@pytest.fixture
def serving(root: Path, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    left_out = ("PYTHONDONTWRITEBYTECODE", "PREHEAT_HOME")
    env = {name: value for name, value in os.environ.items() if name not in left_out}
    with subprocess.Popen(
        [Path(sys.executable).with_name("preheat"), "serve", root, "--port", "0", "--workers", "2"],
        stderr=subprocess.PIPE,
        text=True,
        env={**env, "PREHEAT_HOME": str(tmp_path / "home")},
        start_new_session=True,
    ) as process:
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def until(stream: IO[str], pattern: str) -> "re.Match[str]":
    seen = []
    for line in stream:
        seen.append(line)
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f"{pattern} did not come: {seen}")


def test_it_serves_the_project_until_ctrl_c(serving: "subprocess.Popen[str]") -> None:
    assert serving.stderr is not None
    address = until(serving.stderr, r"demo starts at (http://127\.0\.0\.1:\d+)")[1]
    for _ in range(2):
        until(serving.stderr, r'"event": "ready"')
    headers = {"content-type": "application/json"}
    asked = urllib.request.Request(f"{address}/invocations", b'"Ada"', headers)
    with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
        body = json.load(answer)
    assert (body["name"], body["mode"], body["isolated"]) == ("Ada", "quick", "True")
    assert int(body["pid"]) != serving.pid
    for path in ("/ping", "/docs", "/openapi.json", "/metrics", "/v2/models/demo"):
        with urllib.request.urlopen(address + path, timeout=PATIENCE_S) as answer:
            assert answer.status == 200
    os.killpg(serving.pid, signal.SIGINT)  # as a terminal does: the host and its workers all get it
    until(serving.stderr, r'"event": "draining"')
    assert serving.wait(PATIENCE_S) == 0
