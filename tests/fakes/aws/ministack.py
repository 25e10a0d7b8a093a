"""AWS on the loopback: MiniStack as a process of its own, with Lambda's real runtime in it."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from tests.fakes.environments import python_with
from tests.fakes.lambda_emulator import CLIENT, emulator_binary
from tests.fakes.patience import PATIENCE_S
from tests.fakes.ports import free_port

MINISTACK = "ministack==1.5.33"
ROOT = Path(__file__).parents[3]
LISTENS = "Running on http://"


class Ministack:
    """The services of AWS at `endpoint`; a context that ends them, and every function that runs in them.

    IAM is in force: a function may do what its role allows. `lines` is what the server has written.
    `program` is the module that runs as the server, `env` what it is told beside the usual.
    """

    def __init__(
        self, program: str = "tests.fakes.aws.execution", env: Mapping[str, str] | None = None
    ) -> None:
        self.lines: list[str] = []
        self.port = free_port()
        self._changed = threading.Condition()
        emulator_binary()  # fetched here: the server's own Python has no pip
        client = python_with(CLIENT, "boto3>=1.36")
        self._folder = TemporaryDirectory(prefix="ministack-")
        self._process = subprocess.Popen(
            [python_with(MINISTACK), "-m", program],
            cwd=ROOT,
            env=self._environment(client) | dict(env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def endpoint(self) -> str:
        """Where every service answers."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.until(LISTENS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        given_up = time.monotonic() + PATIENCE_S
        while members := _of_session(self._process.pid):
            for pid in members:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
            assert time.monotonic() < given_up, members
        self._folder.cleanup()

    def until(self, text: str, *, after: int = 0, times: int = 1, longest_s: float = PATIENCE_S) -> None:
        """Wait until the server, or a function in it, has written `text` in `times` lines from `after` on."""

        def look() -> bool:
            return sum(text in line for line in self.lines[after:]) >= times

        with self._changed:
            found = self._changed.wait_for(look, longest_s)
        assert found, "\n".join([f"no {text!r} in:", *self.lines[after:]])

    def _environment(self, client: Path) -> dict[str, str]:
        """Return the settings of MiniStack (its documentation calls them so), and nothing of this machine."""
        return {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": self._folder.name,
            "HOME": self._folder.name,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "AUTH": "true",
            "PREHEAT_TEST_CLIENT": str(client),
        }

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                with self._changed:
                    self.lines.append(line.decode(errors="replace").rstrip())
                    self._changed.notify_all()


def _of_session(session: int) -> list[int]:
    """Return the processes of a session, of which some have groups of their own."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended in the meantime
            fields = status.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(status.parent.name))
    return found
