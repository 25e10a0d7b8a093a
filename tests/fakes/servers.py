"""A real server process over a handler made in the test, as a container would start it."""

import atexit
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import textwrap
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import fastapi
from tests.fakes.code_layer import compile_code
from tests.fakes.patience import PATIENCE_S

from preheat.bundle.interpreter import base_interpreter
from preheat.bundle.model import Target
from preheat.bundle.shipped import shipped_files
from preheat.interface.manifest import MANIFEST, Limits, Manifest

ENTRY = "preheat.runtime.server.entry"
PACKAGES = Path(fastapi.__file__).parents[1]

UPPER = """
    import os, threading, preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            self.setup_pid = os.getpid()
            self.thread = threading.current_thread()

        def examples(self):
            return ["warm"]

        def predict(self, text: str) -> dict[str, str]:
            if text == "die": os._exit(7)
            return {"text": text.upper(), "pid": str(os.getpid()), "setup": str(self.setup_pid),
                    "main": str(threading.current_thread() is threading.main_thread()),
                    "cwd": os.getcwd(), "threads": os.environ["OMP_NUM_THREADS"]}

        def teardown(self, ctx):
            print("torn down", flush=True)
    """


@cache
def _shipped(entry: tuple[str, ...]) -> Path:
    into = Path(mkdtemp(prefix="preheat-server-"))
    atexit.register(shutil.rmtree, into)
    target = Target(provider="test", platform="linux", python="3.11", entry=entry)
    for name, source in shipped_files(target, "app:Model", "").items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, into / name)
    compile_code(into)
    return into


def server_code(
    into: Path,
    source: str,
    *,
    limits: Limits | None = None,
    entry: tuple[str, ...] = (ENTRY,),
    weights: Mapping[str, str] | None = None,
) -> Path:
    """Make a code layer in `into` that holds the server and the handler `Model` of `source`."""
    shutil.copytree(_shipped(entry), into, dirs_exist_ok=True)
    (into / "app.py").write_text(textwrap.dedent(source))
    limits = limits or Limits(timeout_s=20, setup_s=20)
    manifest = Manifest(name="demo", handler="app:Model", limits=limits, weights=weights or {})
    (into / MANIFEST).write_text(manifest.to_json())
    return into


def pid_of(answer: tuple[int, Any]) -> int:
    """Return the process that gave a good answer of UPPER."""
    status, body = answer
    assert status == 200, body
    return int(body["pid"])


class ServerProcess:
    """One server, on a free port unless `flags` name one and `listening` is off.

    `events` are the lines of its standard error, `output` is what it printed. Each comes by a thread of
    its own: an answer does not mean that what was written before it has come. It may have `descriptors` open.
    """

    def __init__(
        self,
        folder: Path,
        source: str = UPPER,
        *flags: str,
        limits: Limits | None = None,
        env: Mapping[str, str] | None = None,
        listening: bool = True,
        descriptors: int | None = None,
    ) -> None:
        self.events: list[dict[str, Any]] = []
        self.output = ""
        self._changed = threading.Condition()
        self._ended = 0
        self._connections: list[http.client.HTTPConnection | socket.socket] = []
        arguments = self.lay(folder, source, limits)
        (folder / "tmp").mkdir()
        self.tmp = folder / "tmp"
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
            command = [str(base_interpreter()), "-I", "-S", "-B", "-X", "utf8", *arguments, *flags]
            command += ["--listener", str(listener.fileno())] if listening else []
            if descriptors is not None:
                command = ["prlimit", f"--nofile={descriptors}:", *command]
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[listener.fileno()],
                env={"PATH": os.environ["PATH"], "TMPDIR": str(self.tmp), **(env or {})},
                cwd=folder,
                start_new_session=True,
            )
        for stream, take in ((self.process.stderr, self._event), (self.process.stdout, self._printed)):
            threading.Thread(target=self._read, args=(stream, take), daemon=True).start()

    def lay(self, folder: Path, source: str, limits: Limits | None) -> list[str]:
        """Put the layers into `folder`; return the script that starts, and what it is told in any case."""
        code = server_code(folder / "code", source, limits=limits)
        layers = ["--dependencies", str(PACKAGES), "--weights", str(folder)]
        return [str(code / "preheat/runtime/server/entry.py"), *layers]

    def close(self) -> None:
        """End it, everything that it started, and the connections to it."""
        for connection in self._connections:
            connection.close()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._wait(lambda: self._ended == 2)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Send the process that was started a signal."""
        self.process.send_signal(number)

    def until(self, event: str, *, times: int = 1) -> list[dict[str, Any]]:
        """Wait until `event` has come so often; return those that have."""
        self._wait(lambda: len(self.found(event)) >= times, event)
        return self.found(event)

    def until_printed(self, text: str) -> None:
        """Wait until `text` has come on its standard output."""
        self._wait(lambda: text in self.output, text)

    def found(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.events if line["event"] == event]

    def ended(self) -> int:
        """Wait for the end, and for the last of what it wrote; return the exit code."""
        code = self.process.wait(PATIENCE_S)
        self._wait(lambda: self._ended == 2)
        return code

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection that stays open until the test or the server ends."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        self._connections.append(connection)
        return connection

    def connect_raw(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        self._connections.append(connection)
        return connection

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """GET on a connection of its own."""
        return self.ask("GET", path, None, headers)

    def post(self, value: Any, **headers: str) -> tuple[int, Any]:
        """POST one input on a connection of its own."""
        status, body = self.ask("POST", "/invocations", json.dumps(value).encode(), headers)
        return status, json.loads(body)

    def ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        connection = self.connect()
        try:
            connection.request(method, path, body, {"content-type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _wait(self, condition: Callable[[], bool], what: str = "the end") -> None:
        with self._changed:
            self._changed.wait_for(lambda: condition() or self._ended == 2, PATIENCE_S)
            if not condition():
                raise AssertionError(f"{what} did not come: {self.events} {self.output}")

    def _read(self, stream: Any, take: Callable[[str], None]) -> None:
        for line in stream:
            with self._changed:
                take(line.decode())
                self._changed.notify_all()
        with self._changed:
            self._ended += 1
            self._changed.notify_all()

    def _event(self, line: str) -> None:
        self.events.append(json.loads(line) if line.startswith("{") else {"event": "text", "message": line})

    def _printed(self, line: str) -> None:
        self.output += line
