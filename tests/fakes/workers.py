"""Workers and their starter without processes: the test says when each is ready, answers, and ends."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from preheat.interface.message import Request, Response
from preheat_providers.local.supervisor.worker import Ready, StartFailed


class FakeWorker:
    """Implements Worker. Answers at once, unless `held` was set; then when `answer` says."""

    def __init__(self, worker_id: str) -> None:
        self.id = worker_id
        self.pid: int | None = None
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[Ready] = loop.create_future()
        self.end: asyncio.Future[str] = loop.create_future()
        self.held = False
        self.status = 200
        self.batch_size = 0
        self.fail: Exception | None = None
        self.requests: list[Request] = []
        self.answers: list[asyncio.Future[None]] = []
        self.drained = False
        self.killed = False

    async def started(self) -> Ready:
        return await asyncio.shield(self.ready)

    async def ended(self) -> str:
        return await asyncio.shield(self.end)

    async def exchange(self, request: Request, *, limit_s: float, release: Callable[[], None]) -> Response:
        self.requests.append(request)
        try:
            if self.fail is not None:
                raise self.fail
            if self.held:
                answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self.answers.append(answer)
                await answer
            body = json.dumps(self.id).encode()
            return Response(status=self.status, body=body, model_ms=1.0, batch_size=self.batch_size)
        finally:
            release()

    def drain(self) -> None:
        self.drained = True
        if not self.end.done():
            self.end.set_result("exit code 0")

    def kill(self) -> None:
        self.killed = True
        self.crash("SIGKILL")

    def become_ready(self, concurrency: int = 1) -> None:
        self.ready.set_result(Ready(concurrency=concurrency))

    def fail_to_start(self, message: str = "no weights") -> None:
        self.ready.set_exception(StartFailed(message, phase="setup", traceback="Traceback ..."))

    def crash(self, how: str = "exit code 1") -> None:
        if not self.ready.done():
            self.ready.set_exception(StartFailed(how, phase="start"))
            self.ready.exception()
        if not self.end.done():
            self.end.set_result(how)


class FakeStarter:
    """Implements Starter. Workers are ready at once if `ready` is set."""

    def __init__(self, *, ready: bool = True, concurrency: int = 1) -> None:
        self.workers: list[FakeWorker] = []
        self.ready = ready
        self.concurrency = concurrency
        self.held = False
        self.closed = False

    def start(self) -> FakeWorker:
        worker = FakeWorker(f"w{len(self.workers) + 1}")
        worker.held = self.held
        self.workers.append(worker)
        if self.ready:
            worker.become_ready(self.concurrency)
        return worker

    async def close(self) -> None:
        self.closed = True


class ListLog:
    """Takes events and keeps them."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, dict[str, Any]]] = []

    def __call__(self, level: str, event: str, message: str, **fields: Any) -> None:
        self.events.append((event, message, fields))

    def names(self) -> list[str]:
        return [event for event, _, _ in self.events]
