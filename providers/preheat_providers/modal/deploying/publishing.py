"""Runs the program that deploys an app, tells what it says, and raises what it raised."""

import json
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path

from preheat.errors import ProviderError
from preheat.progress import Report, Step
from preheat_providers.modal.deploying import program
from preheat_providers.modal.errors import refusal
from preheat_providers.modal.limits import BUILDER
from preheat_providers.modal.options import Strategy

STAGE = "apply"
SHOWN_LINES = 40
"""How much of the log is shown where an image could not be built: the end says why."""
WAIT_S = 15.0
"""How long the program may take to tell Modal that nobody waits any more."""
OWN_ENVIRONMENT = {
    "MODAL_IMAGE_BUILDER_VERSION": BUILDER,
    "PYTHONSAFEPATH": "1",
    "PYTHONUNBUFFERED": "1",
    "NO_COLOR": "1",
    "COLUMNS": "200",
}
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;;.*?\x1b\\")


def publish(
    file: Path,
    app: str,
    environment: str,
    tag: str,
    *,
    strategy: Strategy,
    environ: Mapping[str, str],
    report: Report,
) -> None:
    """Deploy the app in `file` with the variables `environ`. Raises ProviderError, with the log's end."""
    command = [sys.executable, str(Path(program.__file__)), str(file), app, environment, tag, strategy]
    said: deque[str] = deque(maxlen=SHOWN_LINES)
    listener = threading.Thread(target=lambda: _listen(process, said, report), daemon=True)
    process = subprocess.Popen(
        command,
        env={**environ, **OWN_ENVIRONMENT},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:  # at once: a Ctrl-C that came in between would leave the program to deploy on its own
        listener.start()
        assert process.stdout is not None
        outcome = process.stdout.read()
        process.wait()
    except BaseException:
        _end(process)
        raise
    finally:
        if listener.is_alive():
            listener.join(WAIT_S)
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()
    _check(app, outcome, process.returncode, said)


def without(environ: Mapping[str, str], references: Iterable[str]) -> dict[str, str]:
    """Return `environ` without the variables that hold the values of secrets, which the program needs not."""
    held = {where.removeprefix("env:") for where in references if where.startswith("env:")}
    return {name: value for name, value in environ.items() if name not in held}


def _listen(process: subprocess.Popen[str], said: deque[str], report: Report) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        text = _ESCAPES.sub("", line).strip()
        if text:
            said.append(text)
            report(Step(STAGE, text))


def _end(process: subprocess.Popen[str]) -> None:
    """Let the program end as a terminal's Ctrl-C makes it, or make it."""
    process.terminate()
    try:
        process.wait(WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _check(app: str, outcome: str, code: int, said: Iterable[str]) -> None:
    log = "\n".join(said)
    try:
        found = json.loads(outcome.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise ProviderError(
            f"The program that deploys {app} ended with {code} and said nothing of it:\n{log}",
            hint="Deploy again.",
        ) from error
    if found["ok"]:
        return
    kinds = tuple(found["kinds"])
    if "ImageBuildError" in kinds or ("RemoteError" in kinds and "mage" in found["said"]):
        raise ProviderError(
            f"Modal could not build the image of {app}: {found['said']}\n{log}",
            hint='packages = "upload"  # in [provider.modal]: uploads the packages that this machine fetched',
        )
    raise refusal(f"{app} cannot be deployed", kinds, found["said"])
