"""A fresh worker as `preheat coldstart` starts it: the supervisor's side of its sockets, for one process.

No zygote, no queue, no HTTP: from the start of the process to the first frame of an answer.
"""

import asyncio
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from preheat.errors import HandlerError
from preheat.interface.message import Request, Response
from preheat.provider.rehearsal import READY, Launch, Rehearsal, Start, Watch
from preheat.runtime.wire import read_response, write_request
from preheat_providers.local.supervisor.paths import HomePaths, private_folder
from preheat_providers.local.supervisor.process import ENTRY
from preheat_providers.local.supervisor.process import Launch as WorkerLaunch
from preheat_providers.local.supervisor.spec import Spec

LINE_BYTES = 64 * 1024
WORKER = "cold"


def rehearsal_of(spec: Spec, secrets: Mapping[str, str], paths: HomePaths) -> Rehearsal:
    """Return how workers of `spec` start.

    Their sockets have a folder beside that of the home at `paths`, which its supervisor clears as it
    starts and removes as it ends.
    """

    @contextmanager
    def prepare(folder: Path) -> Iterator[Start]:
        with (
            TemporaryDirectory(prefix="cold-", dir=paths.make_sockets_parent()) as sockets,
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener,
            asyncio.Runner() as runner,
        ):
            control = Path(sockets) / "control.sock"
            launch = WorkerLaunch(
                spec=spec, release=0, secrets=secrets, control=control, sockets=control.parent, tmp=folder
            )
            private_folder(launch.scratch(WORKER))
            listener.bind(str(control))
            listener.listen(1)
            with closing(WorkerStart(launch, listener, runner)) as start:
                yield start

    return Rehearsal(
        entry="a fresh worker process",
        without="the supervisor's queue and HTTP surface; a zygote would fork the later ones",
        prepare=prepare,
    )


class WorkerStart:
    """Implements preheat.provider.rehearsal.Start for one worker."""

    def __init__(self, launch: WorkerLaunch, listener: socket.socket, runner: asyncio.Runner) -> None:
        flags = launch.command()[1:-1]
        self.launch = Launch(
            flags=tuple(flags),
            script=launch.spec.code / ENTRY,
            env=launch.environment(WORKER),
            cwd=launch.scratch(WORKER),
            stdin=json.dumps(launch.config(WORKER, zygote=False)).encode(),
        )
        self._socket = launch.socket(WORKER)
        self._listener = listener
        self._runner = runner
        self._control: socket.socket | None = None

    def wait_ready(self, watch: Watch) -> None:
        """Take the worker's call and wait for its word. Raises HandlerError where it failed."""
        watch.readable(self._listener.fileno())
        self._control, _ = self._listener.accept()
        for event in self._events(self._control, watch):
            if event["event"] == READY:
                return
            if event["event"] == "failed":
                raise HandlerError(f"{event['message']}\n{event.get('traceback', '')}".rstrip())

    def ask(self, request: Request, watch: Watch) -> Response:
        """Ask over the worker's own socket."""
        return self._runner.run(self._exchange(request, watch.left_s()))

    def close(self) -> None:
        """Hang up."""
        if self._control is not None:
            self._control.close()

    async def _exchange(self, request: Request, limit_s: float) -> Response:
        async with asyncio.timeout(limit_s):
            reader, writer = await asyncio.open_unix_connection(self._socket)
            try:
                await write_request(writer, request)
                response = await read_response(reader, writer)
                if response.chunks is None:
                    return response
                body = b"".join([chunk async for chunk in response.chunks])
                return Response(status=response.status, content_type=response.content_type, body=body)
            finally:
                writer.close()

    def _events(self, control: socket.socket, watch: Watch) -> Iterator[dict[str, Any]]:
        partial = b""
        while True:
            watch.readable(control.fileno())
            data = control.recv(LINE_BYTES)
            if not data:
                watch.logged(READY)  # says how it ended: it hung up before it was ready
            *lines, partial = (partial + data).split(b"\n")
            yield from map(json.loads, lines)
