"""One process with the model that answers HTTP, from load to drain."""

import asyncio
import gc
import importlib
import json
import os
import signal
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from preheat.interface.body import encode_body
from preheat.interface.message import JSON_TYPE
from preheat.runtime.engine import ModelEngine
from preheat.runtime.failures import describe
from preheat.runtime.loader import Model, RunCoroutine
from preheat.runtime.log import log_to_stderr
from preheat.runtime.model_process import ModelProcess, leave
from preheat.runtime.phases import PhaseClock, PhaseFailed
from preheat.runtime.server.answered import Answered
from preheat.runtime.server.bundled import Bundled
from preheat.runtime.server.doors import Door
from preheat.runtime.server.signals import Signals

if TYPE_CHECKING:
    from preheat.runtime.server.application import Application

APPLICATION = "preheat.runtime.server.application"
IDLE_S = 0.5
"""How long a connection without a request stays open when the server drains: one may be on its way."""
SPARE_S = 2.0
"""What teardown gets beyond the limit of the requests."""
YOUNG_OBJECTS = 10_000
"""How often cycles are looked for: requests make few, and Python's 700 costs 1 % of a small request."""
STUCK_S = 0.25
"""How long a process lives on whose predict is stuck: its 504 is on its way at the same moment."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What there is once the model is ready."""

    model: Model
    engine: ModelEngine
    application: "Application"


class HttpProcess:
    """Loads the model, answers what comes through `door`, and drains on SIGTERM or when the door says so."""

    def __init__(self, bundled: Bundled, door: Door, clock: PhaseClock, answered: Answered) -> None:
        self._bundled = bundled
        self._config = bundled.config
        self._manifest = bundled.manifest
        self._door = door
        self._clock = clock
        self._answered = answered
        self._process = ModelProcess(_new_loop())
        self._loop = self._process.loop
        self._signals = Signals()
        self._known: dict[str, Any] = {}
        self._serving: Serving | None = None
        self._draining: asyncio.Task[None] | None = None
        self._signalled = False
        self._code = 0

    def run(self, prepare: Callable[[RunCoroutine], Model]) -> NoReturn:
        """Make the model ready by `prepare`, serve it until told to stop, end."""
        self._signals.catch(ignored=self._door.ignored)
        self._loop.add_reader(self._signals.fileno(), self._obey)
        self._door.watch(self._loop, self._stop)
        imported = import_application()

        def prepared(run: RunCoroutine) -> Model:
            model = prepare(run)
            self._known = {"examples": _encoded_examples(model), "answers": self._answered.values}
            imported.join()
            return model

        try:
            self._process.run(prepared, self._manifest.limits.setup_s, self._serve)
        except Exception as exc:  # noqa: BLE001 - the process's boundary: whatever happened must reach the log
            report_failure(exc)
            self._end(1)
        self._end(self._code)

    async def _serve(self, model: Model) -> None:
        from preheat.runtime.server.application import Application

        engine = ModelEngine(
            model, self._process.model_thread, queue=self._config.queue, on_stuck=self._replace_stuck
        )
        application = Application(self._bundled, model, engine, self._known, on_closed=self._door.closed)
        await application.open()
        self._serving = Serving(model, engine, application)
        gc.freeze()  # the model is not garbage, and forked workers share its pages while nothing touches them
        gc.set_threshold(YOUNG_OBJECTS)
        gc.enable()
        where = await self._door.open(application.endpoint)
        if application.grpc_port is not None:
            where += f", and over gRPC at port {application.grpc_port}"
        phases = [asdict(phase) for phase in self._clock.phases]
        log_to_stderr(
            {
                "level": "info",
                "event": "ready",
                "message": f"{self._manifest.name} {where}",
                "pid": os.getpid(),
                "phases": phases,
            }
        )

    def _obey(self) -> None:
        for number in self._signals.take():
            if self._signalled:  # not `_draining`: a host that got the same signal may have been heard first
                self._end(128 + number)
            self._signalled = True
            self._stop()
            name = signal.Signals(number).name
            log_to_stderr(
                {
                    "level": "info",
                    "event": "draining",
                    "message": f"{name}: answering what is in hand, then ending.",
                }
            )

    def _stop(self) -> None:
        self._begin_drain(self._config.drain_s)

    def _replace_stuck(self) -> None:
        message = f"predict has run for {self._manifest.limits.timeout_s:g} s and cannot be stopped: ending."
        log_to_stderr({"level": "error", "event": "stuck", "message": message})
        self._code = 1
        self._begin_drain(STUCK_S)

    def _begin_drain(self, limit_s: float) -> None:
        if self._serving is None:
            self._end(0)
        if self._draining is None:
            self._draining = self._loop.create_task(self._drain(self._serving, limit_s))

    async def _drain(self, serving: Serving, limit_s: float) -> None:
        self._loop.call_later(limit_s + SPARE_S, self._give_up)
        await self._door.leaving()
        cut = await serving.application.stop(limit_s, idle_s=IDLE_S)
        if cut:
            message = f"{cut} requests had no answer after {limit_s:g} s, and were cut off."
            log_to_stderr({"level": "error", "event": "cut", "message": message})
            self._code = 1
        await serving.engine.drain()
        await serving.application.close()
        self._process.finish(serving.model)

    def _give_up(self) -> None:
        message = "predict or teardown did not end in time."
        log_to_stderr({"level": "error", "event": "cut", "message": message})
        self._end(1)

    def _end(self, code: int) -> NoReturn:
        self._door.clean_up()
        leave(code)


def import_application() -> threading.Thread:
    """Import what answers HTTP, on a thread: the model's session is made in C meanwhile."""

    def attempt() -> None:
        with suppress(ImportError):  # raised again, with a message, where it is imported to be used
            importlib.import_module(APPLICATION)

    thread = threading.Thread(target=attempt, name="preheat-import", daemon=True)
    thread.start()
    return thread


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # a fifth more requests a second than asyncio's own loop
    except ModuleNotFoundError as exc:
        report_failure(exc)
        leave(1)
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def report_failure(exc: Exception) -> None:
    """Log why this process cannot serve."""
    if isinstance(exc, PhaseFailed):
        found = {"phase": exc.phase, "message": exc.message, "traceback": exc.traceback}
    elif isinstance(exc, ModuleNotFoundError):
        hint = "A server's bundle is built with preheat.bundle.serving.server_target."
        found = {"message": f"{exc}, which answering HTTP needs. {hint}"}
    else:
        found = {"message": describe(exc), "traceback": "".join(traceback.format_exception(exc))}
    log_to_stderr({"level": "error", "event": "failed", **found})


def _encoded_examples(model: Model) -> list[Any]:
    encoded = [encode_body(model.contract.input, example, JSON_TYPE) for example in model.handler.examples()]
    return [json.loads(body) for _, body in encoded]
