"""One start of a bundle on this machine, as far as it goes without the platform: what to run, how to ask it.

In: the layers of a bundle. Out: a process to start, and a way to give it requests. Touches the scratch
folder that it is given; starts nothing itself.
"""

import json
import socket
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from preheat.bundle.model import Bundle, LayerName
from preheat.errors import ProviderError
from preheat.interface.message import Request, Response

READY = "ready"
"""The event that every entry logs once it can answer."""
LAYERS: tuple[LayerName, ...] = ("code", "dependencies", "weights")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A process: `script` run by the bundle's Python with `flags` and `arguments`.

    It gets `stdin` on its standard input, and inherits `descriptors`.
    """

    flags: tuple[str, ...]
    script: Path
    arguments: tuple[str, ...] = ()
    env: Mapping[str, str]
    cwd: Path
    stdin: bytes = b""
    descriptors: tuple[int, ...] = ()


class Watch(Protocol):
    """The process, for who waits for it. Raises HandlerError once it has ended, or its time is up."""

    def readable(self, descriptor: int) -> None:
        """Wait until something can be read from `descriptor`."""
        ...

    def logged(self, event: str) -> Mapping[str, Any]:
        """Wait until it has logged `event` on standard error, and return the line."""
        ...

    def left_s(self) -> float:
        """Return how many seconds it still has."""
        ...


class Start(Protocol):
    """One start, from a process that was not started yet to its answers."""

    launch: Launch

    def wait_ready(self, watch: Watch) -> None:
        """Return when it can answer."""
        ...

    def ask(self, request: Request, watch: Watch) -> Response:
        """Return its answer, a stream in one piece."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Starts of one bundle. `entry` says what is started, `without` what the platform adds to it.

    `prepare` readies one start in an empty folder; leaving its context ends what is left of that.
    """

    entry: str
    without: str
    prepare: Callable[[Path], AbstractContextManager[Start]]


def link_layers(bundle: Bundle, folder: Path) -> Path:
    """Lay the layers of `bundle` into `folder` under their names, by links, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in LAYERS:
        (folder / name).symlink_to(bundle.layer(name).path)
    return folder


class Driven:
    """A start whose script, ours, takes requests as lines of JSON on a socket and answers there.

    A request is `{"id", "body", "content_type", "accept"}`, an answer `{"status", "body", "content_type"}`;
    bodies are in base64. So nothing that a handler prints is taken for an answer.
    """

    def __init__(self, ours: socket.socket, launch: Launch) -> None:
        self.launch = launch
        self._ours = ours

    def wait_ready(self, watch: Watch) -> None:
        """Wait for the entry's own word."""
        watch.logged(READY)

    def ask(self, request: Request, watch: Watch) -> Response:
        """Send a line and read a line."""
        asked = {
            "id": request.id,
            "body": b64encode(request.body).decode(),
            "content_type": request.content_type,
            "accept": request.accept,
        }
        self._ours.sendall(json.dumps(asked).encode() + b"\n")
        line = b""
        while not line.endswith(b"\n"):
            watch.readable(self._ours.fileno())
            data = self._ours.recv(1 << 20)
            if not data:
                raise ProviderError("The process closed its line before it answered.")
            line += data
        answer = json.loads(line)
        return Response(
            status=answer["status"], content_type=answer["content_type"], body=b64decode(answer["body"])
        )
