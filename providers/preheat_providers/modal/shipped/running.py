"""One container, from its start to its end: the steps that Modal's hooks take. Ships.

What happens before a snapshot is frozen with it, so the web framework is imported there; without
snapshots the import runs beside the model's, which is made in C.
"""

import asyncio
import gc
import importlib
import os
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preheat.errors import PreheatError
from preheat.interface.manifest import Limits, Manifest, read_manifest
from preheat.runtime.engine import ModelEngine
from preheat.runtime.engines import Guarded, guarded
from preheat.runtime.loader import Model, import_model, load_after_fork, prepare_before_fork
from preheat.runtime.log import Log, log_to_stderr
from preheat.runtime.phases import PhaseClock, PhaseFailed
from preheat_providers.modal.shipped.home import Home
from preheat_providers.modal.shipped.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from preheat.runtime.jobs import Jobs
    from preheat.runtime.telemetry import Telemetry

TMP = Path("/tmp")  # noqa: S108 - a container is one function's alone
DRAIN_S = 20.0
TEARDOWN_S = 8.0
"""Modal ends a container 30 s after it was told to stop
(https://modal.com/docs/guide/lifecycle-functions, read on 2026-11-21)."""
STUCK_S = 1.0
"""How long a container lives on whose predict is stuck: its 504 is on its way, in several calls that Modal
answers one after another. What waits here goes to another container only then, and has a limit of its own."""
YOUNG_OBJECTS = 10_000
"""How often cycles are looked for: requests make few."""
IMPORTED_ASIDE = ("preheat_providers.modal.shipped.web", "aiohttp")
"""Modal's own container imports aiohttp, a quarter of a second, when everything else is ready."""


class Running:
    """The model of one container. Made on the main thread, which has the event loop later."""

    def __init__(
        self,
        bundle: Path,
        settings: Settings,
        *,
        environ: Mapping[str, str],
        leave: Callable[[], Coroutine[Any, Any, None]],
        log: Log = log_to_stderr,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._leave = leave
        self._log = log
        self._clock = PhaseClock()
        self._home = Home()
        self._manifest: Manifest = read_manifest(bundle / "code")
        self._place = settings.place(bundle, self._manifest.name, TMP)
        self._leaving: asyncio.Task[None] | None = None
        self._model: Model | None = None
        self._engine: ModelEngine | None = None
        self._front: Guarded | None = None

    def start_before_snapshot(self) -> None:
        """Take the steps that a snapshot may keep. Raises PreheatError, after logging why."""
        aside = import_aside(IMPORTED_ASIDE)
        with _told(self._log):
            self._settings.token_sha256(self._environ)
            self._model = self._home.run(import_model, self._place, self._manifest, self._clock)
            self._home.run(prepare_before_fork, self._model, self._clock)
        if self._settings.snapshot:
            aside.join()
            gc.collect()

    async def finish_after_restore(self) -> None:
        """Take the steps that are this container's own, on the loop that will serve. Raises PreheatError."""
        assert self._model is not None
        loop = asyncio.get_running_loop()

        def run(work: Coroutine[Any, Any, Any]) -> Any:
            return asyncio.run_coroutine_threadsafe(work, loop).result()

        with _told(self._log):
            await self._home.finish(load_after_fork, self._model, self._clock, run)
        self._home.serve(self._model.contract.threads)
        self._engine = self._make_engine(self._model)
        caching = self._model.contract.caching
        document = {"cache": caching.document() if caching else None}
        self._front = guarded(self._engine, document, self._settings.release)
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS)
        gc.enable()
        phases = [asdict(phase) for phase in self._clock.phases]
        took = f"{self._manifest.name}: ready, {sum(phase['ms'] for phase in phases):.0f} ms"
        self._log({"level": "info", "event": "ready", "message": took, "phases": phases})

    @property
    def engine(self) -> Guarded:
        """What answers requests, once the container is ready."""
        assert self._front is not None
        return self._front

    @property
    def settings(self) -> Settings:
        """What the deploy said."""
        return self._settings

    @property
    def limits(self) -> Limits:
        """What a caller may send."""
        return self._manifest.limits

    @cached_property
    def telemetry(self) -> "Telemetry":
        """Where the facts about requests go, whichever way these come."""
        from preheat_providers.modal.shipped.telling import telemetry_of

        return telemetry_of(self.engine)

    def asgi_application(self, jobs: "Jobs") -> "ASGIApp":
        """Return what Modal hands web requests to."""
        from preheat.runtime.server.tokens import bearer_check, open_door
        from preheat_providers.modal.shipped.web import web_application

        assert self._model is not None
        sha256 = self._settings.token_sha256(self._environ)
        return web_application(
            self.engine,
            self._model,
            name=self._manifest.name,
            version=self._settings.release,
            authenticate=open_door if sha256 is None else bearer_check(sha256),
            jobs=jobs,
            telemetry=self.telemetry,
        )

    async def on_exit(self) -> None:
        """Let what is in hand be answered, and then the handler's teardown run."""
        if self._engine is None or self._model is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await self._engine.drain()
        if not await self._home.leave(self._model, TEARDOWN_S):
            message = "predict or teardown did not end in time."
            self._log({"level": "error", "event": "cut", "message": message})

    def _make_engine(self, model: Model) -> ModelEngine:
        memory_mb = self._settings.memory_mb
        return ModelEngine(model, self._home.thread, memory_mb=memory_mb, on_stuck=self._make_room)

    def _make_room(self) -> None:
        """Have Modal start another container in place of this one, whose predict nothing can stop."""
        if self._leaving is not None:
            return
        limit_s = self._manifest.limits.timeout_s
        message = f"predict has run for {limit_s:g} s and cannot be stopped: taking no more requests."
        self._log({"level": "error", "event": "stuck", "message": message})
        self._leaving = asyncio.get_running_loop().create_task(self._give_up())

    async def _give_up(self) -> None:
        assert self._model is not None
        try:
            await self._leave()
        except Exception as error:  # noqa: BLE001 - whatever Modal says, a stuck process has to end
            self._log({"level": "error", "event": "stuck", "message": f"Modal was not told: {error}"})
            os._exit(1)
        if self._model.contract.threads == 1:
            # Nobody else will answer what waits here. Modal gives calls to another container.
            await asyncio.sleep(STUCK_S)
            os._exit(1)


@contextmanager
def _told(log: Log) -> Iterator[None]:
    """Log what ends a start; Modal shows it as the reason that the container did not start."""
    try:
        yield
    except PreheatError as error:
        found = {"phase": error.phase, "traceback": error.traceback} if isinstance(error, PhaseFailed) else {}
        log({"level": "error", "event": "failed", "message": error.message, **found})
        raise


def import_aside(names: tuple[str, ...]) -> threading.Thread:
    """Import modules on a thread of their own, and return it."""

    def attempt() -> None:
        for name in names:
            with suppress(ImportError):  # raised again where it is imported to be used
                importlib.import_module(name)

    thread = threading.Thread(target=attempt, name="preheat-import", daemon=True)
    thread.start()
    return thread
