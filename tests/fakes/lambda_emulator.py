"""The real runtime of Lambda on this machine: AWS's interface emulator, and its Python client, as processes.

The emulator is one file of the wheel of aws-sam-cli, which is not installed. The client runs in a
virtual environment of its own, so that a package that a bundle lacks is missing. Nothing but the
standard library is imported here: the emulator of AWS runs this module in its own environment.
"""

import hashlib
import http.client
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, TypeVar

from tests.fakes.patience import PATIENCE_S
from tests.fakes.ports import free_port
from tests.fakes.sealed import sealed

CACHE = Path(__file__).parents[2] / ".cache" / "lambda"
SAM_CLI = "1.170.0"
CHECKSUMS = {
    "x86_64": "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
    "aarch64": "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
}
"""SHA-256 of the emulator in the wheel of that version."""
NAMES = {"x86_64": "aws-lambda-rie-x86_64", "aarch64": "aws-lambda-rie-arm64"}
CLIENT = "awslambdaric==4.2.2"
HANDLER = "preheat_providers.aws_lambda.shipped.entry.handler"
FETCHED = "/tmp/preheat-weights"
"""Where a function puts weights from S3: here as on Lambda, each environment has its own."""
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
INVOKE = "/2015-03-31/functions/function/invocations"
LISTENS = "Runtime API Server listening"
ANSWERED, CRASHED = "REPORT RequestId: ", "Invoke() release error"
"""What the emulator writes at an event's end, and before it answers: in time, late or with an error, and
where the function's process ended."""

T = TypeVar("T")


def emulator_binary() -> Path:
    """Return the emulator, fetched once. Raises AssertionError when it is not the file that was checked."""
    machine = platform.machine()
    path = CACHE / f"{NAMES[machine]}-{SAM_CLI}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=path.parent) as folder:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
            subprocess.run([*pip, "--dest", folder, f"aws-sam-cli=={SAM_CLI}"], check=True)
            (wheel,) = Path(folder).glob("*.whl")
            content = zipfile.ZipFile(wheel).read(f"samcli/local/rapid/{NAMES[machine]}")
            found = hashlib.sha256(content).hexdigest()
            assert found == CHECKSUMS[machine], f"{wheel.name} holds another emulator: {found}"
            staged = Path(folder) / "binary"
            staged.write_bytes(content)
            staged.chmod(0o755)
            staged.rename(path)
    return path


@dataclass(frozen=True)
class Reply:
    """What the emulator answers: what the function returned, or how it failed."""

    status: int
    body: bytes

    @property
    def value(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Unpacked:
    """The archives of a function as Lambda unpacks them: its own at `task`, its layers at `opt` (/opt)."""

    task: Path
    opt: Path

    @property
    def path(self) -> tuple[Path, ...]:
        """Where Python looks first, in Lambda's order."""
        site = self.opt / "python" / "lib" / f"python{PYTHON}" / "site-packages"
        return self.task, site, self.opt / "python"


class Emulator:
    """One execution environment of a function; a context that ends it.

    It starts the function at the first call, and takes one call at a time: a second one would crash it.
    What is unpacked cannot be written from inside.
    `lines` is everything that it and the function have written.
    """

    def __init__(
        self,
        unpacked: Unpacked,
        *,
        python: Path,
        env: Mapping[str, str],
        timeout_s: int = 30,
        memory_mb: int = 512,
        bootstrap: Sequence[str | Path] = (),
        runtime_api: int | None = None,
        handler: str = HANDLER,
    ) -> None:
        self.lines: list[str] = []
        self.port, api = free_port(), runtime_api or free_port()
        self._changed = threading.Condition()
        self._calling = threading.Lock()
        client = bootstrap or (python, "-m", "awslambdaric")
        self._process = subprocess.Popen(
            [
                *sealed([unpacked.opt, unpacked.task], own=[FETCHED]),
                emulator_binary(),
                *("--log-level", "debug"),
                *("--runtime-interface-emulator-address", f"127.0.0.1:{self.port}"),
                *("--runtime-api-address", f"127.0.0.1:{api}"),
                *client,
                handler,
            ],
            cwd=unpacked.task,
            env=environment(unpacked, timeout_s, memory_mb) | {"_HANDLER": handler, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        self.until(lambda line: LISTENS in line)
        given_up = time.monotonic() + PATIENCE_S
        while not self._listens():  # on its other port, which it opens a moment later and tells nobody
            assert time.monotonic() < given_up, "\n".join(self.lines)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None

    def invoke(self, event: object) -> Reply:
        """Call the function and return what came of it, once `lines` has all that was written until then."""
        with self._calling:
            told = len(self.lines)
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
            try:
                connection.request("POST", INVOKE, json.dumps(event))
                answer = connection.getresponse()
                reply = Reply(answer.status, answer.read())
            finally:
                connection.close()
            self._until(lambda: any(map(_ends_an_event, self.lines[told:])))
            return reply

    def events(self, name: str, *, about: str = "", times: int = 1) -> list[dict[str, Any]]:
        """Wait until the function has logged `times` events of that name `about` something; return all."""
        self._until(lambda: len(self._logged(name, about)) >= times)
        return self._logged(name, about)

    def _logged(self, name: str, about: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in list(self.lines) if line.startswith("{")]
        return [event for event in found if event.get("event") == name and about in event["message"]]

    def until(self, wanted: Callable[[str], bool]) -> str:
        """Wait for a line and return it."""
        return self._until(lambda: next((line for line in self.lines if wanted(line)), None))

    def until_begins(self, text: str) -> str:
        """Wait for a line that begins with `text` and return it."""
        return self.until(lambda line: line.startswith(text))

    def _until(self, look: Callable[[], T | None]) -> T:
        with self._changed:
            found = self._changed.wait_for(look, PATIENCE_S)
        assert found, "\n".join(self.lines)
        return found

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), PATIENCE_S).close()
        except ConnectionRefusedError:
            return False
        return True

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                with self._changed:
                    self.lines.append(line.decode(errors="replace").rstrip())
                    self._changed.notify_all()


def _ends_an_event(line: str) -> bool:
    return line.startswith(ANSWERED) or CRASHED in line


def environment(unpacked: Unpacked, timeout_s: int, memory_mb: int) -> dict[str, str]:
    """Return what Lambda sets, and nothing of this machine; the path is that of Lambda's own bootstrap.

    https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-searchpath
    """
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "LAMBDA_TASK_ROOT": str(unpacked.task),
        "PYTHONPATH": os.pathsep.join(map(str, unpacked.path)),
        "AWS_LAMBDA_FUNCTION_NAME": "zoo",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_s),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIATESTONLY",
        "AWS_SECRET_ACCESS_KEY": "never-to-be-logged",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{PYTHON}",
        "_HANDLER": HANDLER,
    }
