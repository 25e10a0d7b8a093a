"""A worker process: it loads the handler, says that it is ready, answers frames, drains and ends.

The line to the supervisor is on the event loop's thread, so that a busy or stuck predict never keeps
the process from hearing that it must stop.
"""

import asyncio
import gc
import os
from collections.abc import Callable
from dataclasses import asdict
from typing import NoReturn

from preheat.interface.manifest import Manifest, read_manifest
from preheat.runtime.assignment import Assignment
from preheat.runtime.control import Control
from preheat.runtime.engine import ModelEngine, concurrency_of
from preheat.runtime.forking import Fork
from preheat.runtime.loader import Model, RunCoroutine, load
from preheat.runtime.model_process import ModelProcess, leave
from preheat.runtime.phases import PhaseClock, PhaseFailed
from preheat.runtime.serving import FrameServer

NOT_JUDGED = Fork(safe=False)


def report_failure(control: Control, failure: PhaseFailed) -> NoReturn:
    """Tell the supervisor why this process cannot serve, and end it."""
    control.send(
        {
            "event": "failed",
            "phase": failure.phase,
            "message": failure.message,
            "traceback": failure.traceback,
        }
    )
    leave(1)


class Worker:
    """One worker's life. `clock` has timed what was done before it, such as a zygote's setup."""

    def __init__(self, assignment: Assignment, clock: PhaseClock, fork: Fork = NOT_JUDGED) -> None:
        self._assignment = assignment
        self._clock = clock
        self._fork = fork
        self._control = Control.connect(assignment.control)
        self._control.send({"event": "hello", "id": assignment.id, "pid": os.getpid(), "zygote": False})
        self._process = ModelProcess(asyncio.new_event_loop())
        self._loop = self._process.loop
        self._draining: asyncio.Task[None] | None = None

    def run(self, prepare: Callable[[RunCoroutine], Model], setup_s: float) -> NoReturn:
        """Make the model ready by `prepare` within `setup_s`, serve it until told to drain, end."""
        self._loop.add_reader(self._control.fileno(), self._obey_before_ready)
        try:
            self._process.run(prepare, setup_s, self._serve)
        except PhaseFailed as failure:
            report_failure(self._control, failure)
        leave(0)

    async def _serve(self, model: Model) -> None:
        engine = ModelEngine(
            model,
            self._process.model_thread,
            memory_mb=self._assignment.memory_mb,
            on_stuck=lambda: self._control.send({"event": "stuck"}),
        )
        server = FrameServer(engine, max_bytes=model.limits.body_bytes)
        await server.listen(self._assignment.socket)
        self._loop.add_reader(self._control.fileno(), self._obey, model, engine, server)
        gc.freeze()  # the model is not garbage, and a zygote shares its pages while nothing touches them
        gc.enable()
        self._control.send(
            {
                "event": "ready",
                "phases": [asdict(phase) for phase in self._clock.phases],
                "concurrency": concurrency_of(model.contract, self._assignment.concurrency),
                "contract": model.contract.document(),
                "fork": asdict(self._fork),
            }
        )

    def _obey_before_ready(self) -> None:
        for order in self._control.receive():
            if order["op"] == "drain":
                os._exit(0)

    def _obey(self, model: Model, engine: ModelEngine, server: FrameServer) -> None:
        for order in self._control.receive():
            if order["op"] == "drain" and self._draining is None:
                self._draining = self._loop.create_task(self._drain(model, engine, server))

    async def _drain(self, model: Model, engine: ModelEngine, server: FrameServer) -> None:
        await engine.drain()
        await server.drained()
        self._process.finish(model)


def run_worker(assignment: Assignment) -> NoReturn:
    """Be a worker from a fresh interpreter."""
    clock = PhaseClock()
    worker = Worker(assignment, clock)
    manifest = read_manifest(assignment.place.code)
    worker.run(_loading(assignment, manifest, clock), manifest.limits.setup_s)


def _loading(
    assignment: Assignment, manifest: Manifest, clock: PhaseClock
) -> Callable[[RunCoroutine], Model]:
    return lambda run: load(assignment.place, manifest, clock, run)
