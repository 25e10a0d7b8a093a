"""Ports that are given to processes of one machine."""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

DRAWS = """
import json, sys
from tests.fakes.ports import free_port
print(json.dumps([free_port() for _ in range(1000)]), flush=True)
sys.stdin.read()
"""


def test_a_port_is_given_to_one_process_of_those_that_run() -> None:
    with ExitStack() as running:
        both = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", DRAWS],
                    cwd=Path(__file__).parents[3],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            for _ in range(2)
        ]
        given = [number for each in both for number in json.loads(each.stdout.readline())]  # type: ignore[union-attr]
    assert len(set(given)) == len(given) == 2000
