"""A supervisor for tests: speaks the control protocol to real processes and sends them frames."""

import asyncio
import json
import os
import shutil
import sys
from asyncio import StreamReader, StreamWriter
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Self

from tests.fakes.patience import PATIENCE_S
from tests.fakes.wheels import lay_installed

from preheat.interface.message import Request, Response
from preheat.runtime.wire import read_response, write_request

PYTHON = str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())


class FakeSupervisor:
    """Starts one entry process (worker or zygote), and keeps what it and its children say."""

    def __init__(self) -> None:
        self.folder = Path(mkdtemp(prefix="ph-"))  # short: a socket's path has at most 107 bytes
        self.events: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.output: dict[str, bytes] = defaultdict(bytes)
        self.process: asyncio.subprocess.Process | None = None
        self._controls: dict[str, StreamWriter] = {}
        self._changed = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._accept, self.folder / "c")
        return self

    async def __aexit__(self, *exc: object) -> None:
        for writer in self._controls.values():
            writer.close()
        if self.process is not None:
            if self.process.returncode is None:
                self.process.kill()
            await self.process.wait()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self._server is not None
        self._server.close()
        shutil.rmtree(self.folder)

    async def start(
        self, code: Path, *, env: Mapping[str, str] | None = None, **overrides: object
    ) -> asyncio.subprocess.Process:
        """Start the entry of the layer `code` as worker `w1`; `overrides` replace parts of its assignment."""
        tmp = self.folder / "tmp-w1"
        tmp.mkdir()
        lay_installed(self.folder / "dependencies", "orjson")
        assignment = {
            "id": "w1",
            "code": str(code),
            "dependencies": str(self.folder / "dependencies"),
            "weights": str(self.folder / "none"),
            "control": str(self.folder / "c"),
            "socket": self.socket("w1"),
            "name": "demo",
            "stage": "dev",
            "provider": "local",
            "release": "1",
            "memory_mb": 512,
            "tmp_mb": 64,
            "cpus": 1,
            "tmp": str(tmp),
            "zygote": False,
            **overrides,
        }
        self.process = await asyncio.create_subprocess_exec(
            *(PYTHON, "-I", "-S", "-B", "-X", "utf8", str(code / "preheat_providers" / "local" / "entry.py")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ORT_DISABLE_TELEMETRY": "1", **(env or {})},
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(assignment).encode())
        self.process.stdin.close()
        self._tasks.append(asyncio.create_task(self._keep_output("w1", self.process.stdout)))
        return self.process

    def socket(self, worker: str) -> str:
        """Return the path of a worker's socket."""
        return str(self.folder / worker)

    async def event(self, worker: str, *names: str) -> dict[str, Any]:
        """Wait until `worker` says one of `names`. A `failed` that is not awaited is an error."""

        def found() -> dict[str, Any] | None:
            said = self.events[worker]
            return next((event for event in said if event["event"] in names), None)

        def failed() -> bool:
            return "failed" not in names and any(
                event["event"] == "failed" and "exited" not in names for event in self.events[worker]
            )

        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: found() or failed())
        event = found()
        assert event is not None, self.events[worker]
        return event

    async def printed(self, worker: str, text: bytes) -> bytes:
        """Wait until `worker` has printed `text`; return all that it printed."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: text in self.output[worker])
        return self.output[worker]

    async def ended(self) -> int:
        """Wait until the started process has ended; return its exit code, negative for a signal."""
        assert self.process is not None
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()

    async def connect(self, worker: str) -> tuple[StreamReader, StreamWriter]:
        """Connect to a worker's socket."""
        return await asyncio.open_unix_connection(self.socket(worker))

    async def ask(self, worker: str, value: object, **fields: Any) -> Response:
        """Send `value` as JSON on a connection of its own and return the answer, a stream joined."""
        reader, writer = await self.connect(worker)
        try:
            async with asyncio.timeout(PATIENCE_S):
                body = value if isinstance(value, bytes) else json.dumps(value).encode()
                await write_request(writer, Request(**{"id": "r1", "body": body, **fields}))
                response = await read_response(reader, writer)
                if response.chunks is None:
                    return response
                joined = b"".join([chunk async for chunk in response.chunks])
                return Response(status=response.status, content_type=response.content_type, body=joined)
        finally:
            writer.close()

    def tell(self, worker: str, order: Mapping[str, object]) -> None:
        """Send an order to a worker or zygote."""
        self._controls[worker].write(json.dumps(order).encode() + b"\n")

    def hang_up(self, worker: str) -> None:
        """Close the control connection of `worker`, as a dying supervisor does."""
        self._controls[worker].close()

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.append(task)
        hello = json.loads(await reader.readline())
        if hello["event"] == "output":
            await self._keep_output(hello["id"], reader)
            writer.close()
            return
        worker = hello["id"]
        self._controls[worker] = writer
        await self._keep(worker, hello)
        while line := await reader.readline():
            event = json.loads(line)
            await self._keep(worker if event["event"] != "exited" else event["id"], event)
        await self._keep(worker, {"event": "gone"})
        writer.close()

    async def _keep(self, worker: str, event: dict[str, Any]) -> None:
        async with self._changed:
            self.events[worker].append(event)
            self._changed.notify_all()

    async def _keep_output(self, worker: str, reader: StreamReader) -> None:
        while data := await reader.read(65536):
            async with self._changed:
                self.output[worker] += data
                self._changed.notify_all()
