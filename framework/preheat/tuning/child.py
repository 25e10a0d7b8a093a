"""Tasks of tuning, each in a process with an interpreter and packages of its own. Starts that process."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from preheat.bundle.interpreter import Interpreter
from preheat.bundle.script import Ended, run_script
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
        try:
            ended = run_script(
                self.interpreter,
                START,
                given,
                variables=self.variables,
                folder=self.tmp,
                limit_s=limit_s,
            )
        except TimeoutError as exc:
            raise TaskFailed(f"it took longer than {limit_s:g} s.", "") from exc
        return _answer(ended)


def _answer(ended: Ended) -> dict[str, Any]:
    if ended.last_line is None:
        raise TaskFailed(f"its process {ended.how} and gave no answer.", ended.told)
    document = json.loads(ended.last_line)
    if not document["ok"]:
        raise TaskFailed(" ".join(document["message"].split()), document["traceback"])
    answer: dict[str, Any] = document["answer"]
    return answer
