"""A Python script in a process of its own: one JSON object in, one out.

Starts that process and nothing else; whatever it started in turn ends with it, and it ends with this one. It
has no site packages, and no variables but those that it is given.
"""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preheat.bundle.interpreter import Interpreter
from preheat.bundle.tether import tether

FLAGS = ("-I", "-S", "-B", "-X", "utf8")
"""What keeps a developer's packages and variables away, and writes no byte-code."""
TOLD_CHARACTERS = 4000
ANSWERED = (0, 1)
"""The exit codes of a script that got to its answer: 1 says that the answer is a failure."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended: its exit code, negative for a signal, and what it wrote."""

    code: int
    output: str
    errors: str

    @property
    def how(self) -> str:
        """How it ended, as the end of a sentence about it."""
        if self.code < 0:
            return f"was ended by {signal.Signals(-self.code).name}"
        return f"ended with exit code {self.code}"

    @property
    def last_line(self) -> str | None:
        """The last line of its output; None for one that gave no answer."""
        lines = self.output.split("\n") if self.code in ANSWERED else []
        return next((line for line in reversed(lines) if line.strip()), None)

    @property
    def told(self) -> str:
        """The end of what it wrote to standard error."""
        return self.errors.strip()[-TOLD_CHARACTERS:]


def run_script(
    interpreter: Interpreter,
    script: Path,
    document: Mapping[str, Any],
    *,
    variables: Mapping[str, str],
    folder: Path,
    limit_s: float,
) -> Ended:
    """Run `script` in `folder` with `document` on its standard input. Raises TimeoutError after `limit_s`."""
    with tether() as tied:
        process = subprocess.Popen(
            [str(interpreter.path), *FLAGS, str(script)],
            env=dict(variables),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            pass_fds=(tied.end,),
            start_new_session=True,
        )
        tied.tie(process.pid)
        try:
            output, errors = process.communicate(json.dumps(document), timeout=limit_s)
        except subprocess.TimeoutExpired as exc:
            raise TimeoutError(f"{script.name} took longer than {limit_s:g} s.") from exc
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return Ended(process.returncode, output, errors)
