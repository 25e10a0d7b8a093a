"""A worker process: it loads the handler, says that it is ready, answers frames, drains and ends.

The main thread belongs to the model: setup, predict and teardown all run there. The event loop,
with the sockets and the line to the supervisor, runs on a second thread, so that a busy or stuck
predict never keeps the process from hearing that it must stop.
"""

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import asdict
from typing import Any, NoReturn

from preheat.interface.manifest import Manifest, read_manifest
from preheat.runtime.assignment import Assignment
from preheat.runtime.calls import ModelThread
from preheat.runtime.confine import time_limit
from preheat.runtime.control import Control
from preheat.runtime.engine import ModelEngine, concurrency_of
from preheat.runtime.failures import describe, user_traceback
from preheat.runtime.forking import Fork
from preheat.runtime.loader import Model, PhaseClock, PhaseFailed, RunCoroutine, load
from preheat.runtime.log import log_to_stderr
from preheat.runtime.serving import FrameServer

NOT_JUDGED = Fork(safe=False)


def leave(code: int) -> NoReturn:
    """End the process without exit handlers, some of which wait for threads that a fork has lost."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


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
        self._model_thread = ModelThread()
        self._loop = asyncio.new_event_loop()
        self._draining: asyncio.Task[None] | None = None

    def run(self, prepare: Callable[[RunCoroutine], Model], setup_s: float) -> NoReturn:
        """Make the model ready by `prepare` within `setup_s`, serve it until told to drain, end."""
        self._loop.add_reader(self._control.fileno(), self._obey_before_ready)
        threading.Thread(target=self._loop.run_forever, name="preheat-loop", daemon=True).start()
        try:
            with time_limit(setup_s):
                model = prepare(self._run_on_loop)
        except PhaseFailed as failure:
            report_failure(self._control, failure)
        self._run_on_loop(self._serve(model))
        self._model_thread.run()
        leave(0)

    def _run_on_loop(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _serve(self, model: Model) -> None:
        engine = ModelEngine(
            model,
            self._model_thread,
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
        self._model_thread.submit(_tear_down, model)
        self._model_thread.shutdown()


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


def _tear_down(model: Model) -> None:
    try:
        model.handler.teardown(model.context)
    except BaseException as exc:  # noqa: BLE001 - the process ends either way, and must end cleanly
        log_to_stderr(
            {
                "level": "error",
                "event": "teardown-failed",
                "message": f"The handler failed in teardown: {describe(exc)}",
                "traceback": user_traceback(exc),
            }
        )
