"""One start of a bundle: a fresh process of a rehearsal, asked twice, then ended. Starts processes."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from preheat.bundle.interpreter import Interpreter
from preheat.bundle.script import FLAGS
from preheat.bundle.tether import tether
from preheat.coldstart.model import Bare, Cores, Sample
from preheat.coldstart.watching import WatchedProcess
from preheat.errors import HandlerError
from preheat.interface.message import Request
from preheat.interface.threads import library_environment
from preheat.provider.rehearsal import READY, Launch, Rehearsal

HERE = Path(__file__).parent
PROBE, BARE = HERE / "probe.py", HERE / "bare.py"
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is other than in a plain start: flags of the interpreter, and the probe with its settings.

    `without` are flags that are left out; the fields below `probed` are as in the probe.
    """

    flags: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()
    probed: bool = False
    imports: bool = False
    absent: tuple[str, ...] = ()
    threads: int | None = None
    models: Mapping[str, str] = field(default_factory=dict)


PLAIN, PROBED = Change(), Change(probed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """Starts processes of `interpreter`, each in a scratch folder of its own below `folder`.

    Each is asked `request` twice, and may take `limit_s` for all of it. The reference has `threads`.
    """

    interpreter: Interpreter
    folder: Path
    request: Request
    limit_s: float
    threads: int = 1

    def start(self, rehearsal: Rehearsal, cores: Cores = "all", change: Change = PLAIN) -> Sample:
        """Return what one start took. Raises HandlerError where it fails, or an answer is a failure."""
        with (
            tempfile.TemporaryDirectory(dir=self.folder) as name,
            rehearsal.prepare(Path(name)) as start,
        ):
            marks = Path(name) / "marks"
            command = self._command(start.launch, change, marks)
            with self._started(command, start.launch, cores) as watch:
                start.wait_ready(watch)
                ready_ns = watch.logged_ns(READY) or time.monotonic_ns()
                asked_ns = time.monotonic_ns()
                first = start.ask(self.request, watch)
                first_ns = time.monotonic_ns()
                second = start.ask(self.request, watch)
                second_ns = time.monotonic_ns()
                for response in (first, second):
                    if response.status != 200:
                        text = response.body.decode(errors="replace")
                        raise HandlerError(f"The handler's example was answered {response.status}: {text}")
                used = watch.ended()
            return Sample(
                began_ns=watch.began_ns,
                ready_ms=(ready_ns - watch.began_ns) / 1e6,
                total_ms=(first_ns - watch.began_ns) / 1e6,
                first_answer_ms=(first_ns - asked_ns) / 1e6,
                second_answer_ms=(second_ns - first_ns) / 1e6,
                cpu_ms=used.cpu_ms,
                rss_bytes=used.rss_bytes,
                read_bytes=used.read_bytes,
                answer=first.body,
                marks=_marks(marks),
                log=watch.log,
            )

    def bare(
        self,
        path: Sequence[Path],
        models: Sequence[str],
        cores: Cores = "all",
        *,
        make: Path | None = None,
    ) -> Bare:
        """Return what the reference took; `path` is where its packages are. Raises HandlerError.

        With `make`, it writes the models optimised into that folder instead.
        """
        asked = {
            "path": [str(each) for each in path],
            "models": list(models),
            "threads": self.threads,
            "make": None if make is None else str(make),
        }
        launch = Launch(
            flags=FLAGS,
            script=BARE,
            env=ENVIRONMENT | library_environment(self.threads),
            cwd=self.folder,
            stdin=json.dumps(asked).encode(),
        )
        answers, theirs = os.pipe()
        launch = replace(launch, arguments=(str(theirs),), descriptors=(theirs,))
        command = self._command(launch, PLAIN)
        with (
            os.fdopen(answers, "rb") as answer,
            os.fdopen(theirs, "wb") as end,
            self._started(command, launch, cores) as watch,
        ):
            end.close()  # so that the line closes with its own end
            watch.readable(answer.fileno())
            line = answer.readline()
            total_ms = (time.monotonic_ns() - watch.began_ns) / 1e6
            if not line:
                watch.logged(READY)  # says how it ended
        told = json.loads(line)
        return Bare(total_ms=total_ms, import_ms=told["import_ms"], session_ms=told["session_ms"])

    def _command(self, launch: Launch, change: Change, marks: Path | None = None) -> list[str]:
        flags = [flag for flag in launch.flags if flag not in change.without]
        settings = {
            "marks": str(marks),
            "imports": change.imports,
            "absent": change.absent,
            "threads": change.threads,
            "models": dict(change.models),
        }
        probe = [str(PROBE), json.dumps(settings)] if change.probed else []
        script = [*probe, str(launch.script), *launch.arguments]
        return [str(self.interpreter.path), *flags, *change.flags, *script]

    @contextmanager
    def _started(self, command: list[str], launch: Launch, cores: Cores) -> Iterator[WatchedProcess]:
        """Have `command` run while the block does, and no longer than this process."""
        with tether() as tied:
            with _on(cores):
                began_ns = time.monotonic_ns()
                process = subprocess.Popen(
                    command,
                    env=dict(launch.env),
                    cwd=launch.cwd,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    pass_fds=(*launch.descriptors, tied.end),
                    start_new_session=True,
                )
            tied.tie(process.pid)
            with WatchedProcess(process, began_ns=began_ns, limit_s=self.limit_s) as watch:
                watch.give(launch.stdin)
                yield watch


@contextmanager
def _on(cores: Cores) -> Iterator[None]:
    """Have what the block starts run on these processors."""
    allowed = os.sched_getaffinity(0)
    if cores == "one":
        os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _marks(file: Path) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(line) for line in file.read_text().splitlines()) if file.exists() else ()
