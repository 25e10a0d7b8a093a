"""Runs a trial script with an interpreter and packages of its own, and reads its answer.

Starts that process and nothing else; whatever it started in turn ends with it, on Ctrl-C too.
"""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from preheat.bundle.interpreter import Interpreter
from preheat.errors import TuningError

Task = Literal["look", "record", "make", "quantise", "measure", "compare"]
START = Path(__file__).parent / "trial" / "start.py"
LIMIT_S = 3600.0
"""How long one task may take: quantising some gigabytes takes minutes."""


class TaskFailed(TuningError):
    """The process failed; the message is one line, `traceback` is what it printed."""

    def __init__(self, message: str, traceback: str) -> None:
        super().__init__(message)
        self.traceback = traceback


@dataclass(frozen=True, slots=True)
class Child:
    """Where tasks run: an interpreter, the folders it imports from, its variables, a folder for its files."""

    interpreter: Interpreter
    path: Sequence[Path]
    variables: Mapping[str, str]
    tmp: Path

    def run(self, task: Task, document: Mapping[str, Any], *, limit_s: float = LIMIT_S) -> dict[str, Any]:
        """Run `task` and return its answer. Raises TaskFailed."""
        given = {
            **document,
            "task": task,
            "path": [str(folder) for folder in self.path],
            "tmp": str(self.tmp),
        }
        process = subprocess.Popen(
            [str(self.interpreter.path), "-I", "-S", "-B", "-X", "utf8", str(START)],
            env=self.variables,
            cwd=self.tmp,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        try:
            output, errors = process.communicate(json.dumps(given), timeout=limit_s)
        except subprocess.TimeoutExpired as exc:
            raise TaskFailed(f"it took longer than {limit_s:g} s.", "") from exc
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        return _read(output, errors, process.returncode)


def _read(output: str, errors: str, code: int) -> dict[str, Any]:
    if not output.strip():
        ended = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        raise TaskFailed(f"its process {ended} and gave no answer.", errors.strip()[-4000:])
    document = json.loads(output.splitlines()[-1])
    if not document["ok"]:
        raise TaskFailed(" ".join(document["message"].split()), document["traceback"])
    answer: dict[str, Any] = document["answer"]
    return answer
