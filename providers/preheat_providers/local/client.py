"""Talks to the supervisor of one home, and starts it when none runs. The only file that does.

Touches the admin socket, the lock file, and the endpoint over HTTP. Blocking: it serves a command line.
"""

import fcntl
import http.client
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO

import preheat
from preheat import errors
from preheat.errors import Conflict, PreheatError, ProviderError
from preheat.interface.message import TIMEOUT_HEADER, Request, Response
from preheat.provider.protocol import Incoming
from preheat_providers.local.supervisor.lock import read_holder, wait_until_free
from preheat_providers.local.supervisor.paths import HomePaths, private_folder
from preheat_providers.local.supervisor.tls import client_context

ADMIN_SOCKET = "admin.sock"
STOPPING_S = 120.0
"""How long a supervisor that is told to stop may take: it answers the requests it has."""
STARTING_S = 60.0
PEER = struct.Struct("iII")
"""What SO_PEERCRED tells of the process that listens: pid, uid, gid (man 7 unix)."""

Say = Callable[[str], None]


class _Gone(Exception):
    """The supervisor closed the connection before it answered."""


class SupervisorClient:
    """Sends orders to the supervisor of `home`."""

    def __init__(
        self, home: Path, *, version: str = preheat.__version__, python: str = sys.executable
    ) -> None:
        self.paths = HomePaths(home)
        self._version = version
        self._python = python

    @property
    def in_use(self) -> bool:
        """Whether something was ever deployed in this home and not destroyed."""
        return self.paths.state.exists()

    def order(self, op: str, *, say: Say | None = None, **fields: Any) -> Any:
        """Send one order, return its result; `say` hears of its steps. Raises what the supervisor raised."""
        try:
            return self._order_once(op, say, fields)
        except _Gone:
            # It was about to stop, having nothing to do; every order may be repeated.
            try:
                return self._order_once(op, say, fields)
            except _Gone as exc:
                raise self._ended() from exc

    def lines(self, op: str, **fields: Any) -> Iterator[Mapping[str, Any]]:
        """Send one order that answers with a line after another; the end of the supervisor ends them."""
        try:
            yield from self._lines_once(op, fields)
        except _Gone:
            try:
                yield from self._lines_once(op, fields)
            except _Gone as exc:
                raise self._ended() from exc

    def shut_down(self) -> None:
        """End the supervisor gracefully, if one runs, and wait until it has."""
        if self.paths.lock.exists():
            with self._alone():
                connection = self._connect()
                if connection is not None:
                    with connection:
                        _answer(connection, {"op": "shutdown"})
                    self._await_end()

    def invoke(self, endpoint: str, function: str, request: Request) -> Response:
        """Send `request` to the function's endpoint and wait for the whole answer. Raises ProviderError."""
        return self._post("/invocations", endpoint, function, request)

    @contextmanager
    def ask(self, endpoint: str, function: str, request: Request) -> Iterator[Incoming]:
        """Send `request` to the function's endpoint, and have its answer as it comes."""
        with self._asked("/invocations", endpoint, function, request) as answer:
            kind = answer.getheader("content-type", "")
            yield Incoming(status=answer.status, content_type=kind, chunks=_chunks(answer, function))

    def submit(self, endpoint: str, function: str, request: Request) -> str:
        """Send `request` to the function's endpoint as a job, and return its id. Raises ProviderError."""
        answer = self._post("/jobs", endpoint, function, request)
        if answer.status != HTTPStatus.ACCEPTED:
            raise ProviderError(f"The job was refused: {answer.body.decode(errors='replace')}")
        return str(json.loads(answer.body)["id"])

    def _post(self, path: str, endpoint: str, function: str, request: Request) -> Response:
        with self._asked(path, endpoint, function, request) as answer:
            body = b"".join(_chunks(answer, function))
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Response(
            status=answer.status, content_type=found.get("content-type", ""), body=body, headers=found
        )

    @contextmanager
    def _asked(
        self, path: str, endpoint: str, function: str, request: Request
    ) -> Iterator[http.client.HTTPResponse]:
        """Have the answer of the endpoint, of which the head is here."""
        url = urllib.parse.urlsplit(endpoint)
        host, port = url.hostname or "", url.port
        wait_s = None if request.timeout_s is None else request.timeout_s + 5
        connection: http.client.HTTPConnection
        if url.scheme == "https":
            tls = client_context(self.paths.tls)
            connection = http.client.HTTPSConnection(host, port, timeout=wait_s, context=tls)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=wait_s)
        headers = {
            **request.headers,
            "content-type": request.content_type,
            "accept": request.accept,
            "x-request-id": request.id,
        }
        if request.timeout_s is not None:
            headers[TIMEOUT_HEADER] = f"{request.timeout_s:g}"
        token = self.paths.token(function)
        if token.exists():
            headers["authorization"] = f"Bearer {token.read_text().strip()}"
        with closing(connection):
            try:
                connection.request("POST", path, body=request.body, headers=headers)
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as exc:
                raise ProviderError(
                    f"The endpoint {endpoint} does not answer: {exc}.",
                    hint=f"See why: preheat status {function.split('@')[0]}",
                ) from exc
            with answer:
                yield answer

    def _order_once(self, op: str, say: Say | None, fields: Mapping[str, Any]) -> Any:
        with closing(self._messages(op, fields)) as messages:
            for message in messages:
                if "result" in message:
                    return message["result"]
                if say is not None and "step" in message:
                    say(message["step"])
        raise _Gone

    def _lines_once(self, op: str, fields: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the lines. Raises _Gone where none came."""
        begun = False
        with closing(self._messages(op, fields)) as messages:
            for message in messages:
                if "result" in message:
                    return
                begun = True
                yield message
        if not begun:
            raise _Gone

    def _messages(self, op: str, fields: Mapping[str, Any]) -> Generator[Mapping[str, Any]]:
        """Send one order and yield what answers it, until the other end hangs up. Raises what it says."""
        with self._connection() as connection, connection.makefile("rb") as stream:
            _send(connection, {"op": op, **fields})
            while line := _line(stream):
                message = json.loads(line)
                if "error" in message:
                    raise _raised(message["error"])
                yield message

    def _ended(self) -> ProviderError:
        return ProviderError(
            "The supervisor ended before it answered.", hint=f"See why: tail {self.paths.output}"
        )

    @contextmanager
    def _connection(self) -> Iterator[socket.socket]:
        """Connect to a running supervisor of this version, or start one."""
        connection = self._connect()
        if connection is not None and _hello(connection) != self._version:
            connection.close()
            connection = None
        if connection is None:
            connection = self._start()
        with connection:
            yield connection

    def _connect(self) -> socket.socket | None:
        """Connect to the supervisor, if one answers there and is this user's: a deploy carries secrets.

        The lock may name where a killed one was, and in /tmp anybody can make a folder of that name.
        """
        holder = read_holder(self.paths.lock)
        folder = holder.sockets if holder else self.paths.sockets
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(folder / ADMIN_SOCKET))
        except OSError:
            connection.close()
            return None
        _, uid, _ = PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
        if uid != os.getuid():
            connection.close()
            return None
        return connection

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Be the only client that starts or ends a supervisor: who waits for its end waits for no other."""
        private_folder(self.paths.home)
        with self.paths.start_lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start(self) -> socket.socket:
        """Start a supervisor in place of another version's, unless another client just did; connect to it."""
        with self._alone():
            connection = self._connect()
            if connection is not None:
                found = _hello(connection)
                if found == self._version:
                    return connection
                if found is not None:
                    _answer(connection, {"op": "shutdown"})
                connection.close()
            self._await_end()
            self._launch()
            connection = self._connect()
        if connection is None or _hello(connection) is None:
            raise ProviderError(
                "The supervisor started and is gone.", hint=f"See why: tail {self.paths.output}"
            )
        return connection

    def _launch(self) -> None:
        read, write = os.pipe()
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["MALLOC_ARENA_MAX"] = "2"
        command = [self._python, "-m", "preheat_providers.local.supervisor", str(self.paths.home), str(write)]
        with self.paths.output.open("ab") as output, os.fdopen(read) as ready:
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd="/",
                    env=environment,
                    pass_fds=(write,),
                    start_new_session=True,
                )
            finally:
                os.close(write)
            told = ready.read()
        if not told:
            tail = "\n".join(self.paths.output.read_text(errors="replace").splitlines()[-5:])
            raise ProviderError(
                f"The supervisor ended with code {process.wait()} as it started:\n{tail}",
                hint=f"The whole of it: cat {self.paths.output}",
            )
        message = json.loads(told)
        if "error" in message:
            process.wait()
            raise _raised({"type": message["error"], **message})
        # It outlives this process, which must not warn that it never waited for it.
        process.returncode = 0

    def _await_end(self) -> None:
        """Wait until no supervisor holds the lock. Raises Conflict naming the one that does not let go."""
        waiting = threading.Thread(target=wait_until_free, args=(self.paths.lock,), daemon=True)
        waiting.start()
        waiting.join(STOPPING_S)
        if waiting.is_alive():
            holder = read_holder(self.paths.lock)
            pid = holder.pid if holder else "unknown"
            raise Conflict(
                f"The supervisor of {self.paths.home} (process {pid}) neither answers nor ends.",
                hint=f"End it; functions, jobs and releases survive that: kill -9 {pid}",
            )


def _chunks(answer: http.client.HTTPResponse, function: str) -> Iterator[bytes]:
    """Yield the body as it comes. Raises ProviderError where it breaks off: predict failed half-way."""
    count = 0
    try:
        while chunk := answer.read1():
            count += len(chunk)
            yield chunk
        if count < int(answer.getheader("content-length", "0")):
            raise http.client.IncompleteRead(b"")
    except (OSError, http.client.HTTPException) as exc:
        name, _, stage = function.partition("@")
        raise ProviderError(
            f"The answer of {name} broke off after {count:,} bytes.",
            hint=f"See why: preheat logs {name} --stage {stage}",
        ) from exc


def _hello(connection: socket.socket) -> str | None:
    """Return the version of the supervisor at the other end, or None when it hangs up."""
    line = _answer(connection, {"op": "hello"})
    connection.settimeout(None)
    return str(json.loads(line)["result"]["version"]) if line else None


def _answer(connection: socket.socket, order: Mapping[str, Any]) -> bytes:
    """Send `order` and return the line that answers it at once: empty when the other end hangs up."""
    connection.settimeout(STARTING_S)
    with suppress(_Gone), connection.makefile("rb") as stream:
        _send(connection, order)
        return _line(stream)
    return b""


def _send(connection: socket.socket, order: Mapping[str, Any]) -> None:
    try:
        connection.sendall(json.dumps(order).encode() + b"\n")
    except OSError as exc:
        raise _Gone from exc


def _line(stream: BinaryIO) -> bytes:
    """Return the next line: empty when the other end hangs up, in the middle of one too."""
    try:
        line = stream.readline()
    except OSError:
        return b""
    return line if line.endswith(b"\n") else b""


def _raised(error: Mapping[str, Any]) -> PreheatError:
    """Return the supervisor's error as the same class here."""
    kind = getattr(errors, str(error["type"]), ProviderError)
    if not (isinstance(kind, type) and issubclass(kind, ProviderError)):
        kind = ProviderError
    raised: PreheatError = kind(str(error["message"]), hint=error.get("hint"))
    return raised
