"""Starts one contender on the servers' processor, waits for its first right answer, and ends all of it."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.serving.answers import Address, Vector, compare
from tests.bench.serving.contenders import Contender, Ours, Work
from tests.bench.serving.dialects import WrongAnswer
from tests.bench.serving.processes import family
from tests.bench.serving.room import HERE, Room

READY_S = 60.0
STOP_S = 15.0
TAIL = 800


class DidNotStart(Exception):
    """A contender did not give a right answer in time; the text says what it printed."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running contender."""

    pid: int
    address: Address
    ready_s: float


def free_port() -> int:
    """Return a port that is free, with its successor, which some peers need for gRPC."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            with suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 1))
                return port


def lay_out_project(room: Room) -> None:
    """Copy ours/, the shared work and the model into the project that Preheat serves."""
    room.project.mkdir(parents=True, exist_ok=True)
    # git ignores the room, and a bundle leaves out what git ignores.
    (room.project / ".preheatignore").write_text("!/*\n")
    # What stays is the lock file, so that only the first run resolves.
    shutil.copytree(
        HERE / "ours", room.project, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copyfile(HERE / "peers" / "work.py", room.project / "work.py")
    for name in ("minilm.onnx", "tokenizer.json"):
        (room.project / name).unlink(missing_ok=True)
        os.link(room.model / name, room.project / name)


def command(room: Room, contender: Contender, work: Work, port: int) -> list[str]:
    """Return what starts `contender` on `port`."""
    if isinstance(contender, Ours):
        program = str(Path(sys.executable).parent / "preheat")
        options = ["--stage", contender.stage, "--port", str(port), "--workers", "1"]
        return [program, "serve", str(room.project), *options]
    script = HERE / "peers" / f"{contender.script}.py"
    options = ["--port", str(port), "--work", work, "--model", str(room.model)]
    python = str(room.python(contender.environment.name))
    return [python, str(script), *options, "--batching", contender.batching]


def _variables(room: Room, contender: Contender) -> dict[str, str]:
    variables = room.variables()
    # Ours builds a bundle first, with the settings and the cache of uv that are in the real home.
    return variables if isinstance(contender, Ours) else variables | {"HOME": str(room.home)}


@contextmanager
def running(room: Room, contender: Contender, work: Work, expected: Mapping[str, Vector]) -> Iterator[Server]:
    """Run `contender` for the block. Raises DidNotStart."""
    port = free_port()
    log = room.logs / f"{contender.name}-{work}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    with TemporaryDirectory() as empty, log.open("ab") as output:
        process = subprocess.Popen(
            room.on_server_cpu(command(room, contender, work, port)),
            cwd=empty,
            env=_variables(room, contender),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            address = Address(port, contender.dialect)
            _await_right_answer(process, address, expected, log)
            yield Server(process.pid, address, time.perf_counter() - started)
        finally:
            stop(process)


def _await_right_answer(
    process: subprocess.Popen[bytes], address: Address, expected: Mapping[str, Vector], log: Path
) -> None:
    text, vector = next(iter(expected.items()))
    deadline = time.monotonic() + READY_S
    while True:
        try:
            compare(address.ask(text), vector)
        except (WrongAnswer, OSError, http.client.HTTPException) as exc:
            ended = process.poll() is not None
            if ended or time.monotonic() > deadline:
                printed = log.read_text(errors="replace").strip()[-TAIL:]
                what = f"ended with {process.returncode}" if ended else f"no right answer after {READY_S:g} s"
                raise DidNotStart(f"{what} ({exc}); it printed: {printed}") from exc
            # Nobody else's server tells when it is ready in a way that all share.
            time.sleep(0.01)
        else:
            return


def stop(process: subprocess.Popen[bytes]) -> None:
    """End `process`, and every descendant that outlives it: some peers leave daemons behind."""
    descendants = [_handle(member) for member in family(process.pid)[1:]]
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for descendant in descendants:
        if descendant is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descendant, signal.SIGKILL)
            os.close(descendant)


def _handle(pid: int) -> int | None:
    """Return a file that means this process, whoever gets its number later; None if it has ended."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None
