"""Jobs and triggers of one home: joins the durable queue and the trigger host to the functions."""

import asyncio
import shutil
from collections.abc import Callable

from preheat.interface.message import Engine
from preheat.runtime.jobs import Jobs
from preheat_providers.local.jobs import Courier, FunctionJobs, JobRunner, JobStore, shown_secret
from preheat_providers.local.supervisor.logs import FunctionLog
from preheat_providers.local.supervisor.paths import HomePaths, private_file
from preheat_providers.local.supervisor.spec import Spec
from preheat_providers.local.triggers import TriggerHost, dead_letter_folder, sweep_dead_letters


class JobsAndTriggers:
    """Implements what functions and the admin socket need of jobs and triggers."""

    def __init__(
        self,
        paths: HomePaths,
        engine_of: Callable[[str], Engine | None],
        *,
        log_of: Callable[[str], FunctionLog | None],
    ) -> None:
        self._log_of = log_of
        self._paths = paths
        self._private: set[str] = set()
        self._store = JobStore(paths.jobs)
        courier = Courier(self._store, log=self._log, allow_private=self._private.__contains__)
        self._runner = JobRunner(self._store, engine_of, log=self._log, courier=courier)
        self._triggers = TriggerHost(self._store, self._runner, home=paths.home, log=self._log)
        self._jobs: dict[str, FunctionJobs] = {}

    async def start(self) -> None:
        """Take up what an earlier supervisor left."""
        await asyncio.to_thread(sweep_dead_letters, self._paths.home)
        await self._runner.start()

    async def stop(self) -> None:
        """Begin nothing more; what runs is put back into the queue."""
        await self._triggers.stop()
        await self._runner.stop()
        self._store.close()

    def jobs(self, function: str) -> Jobs:
        """Return what `/jobs` of this function talks to."""
        return self._jobs.setdefault(function, FunctionJobs(self._store, self._runner, function))

    async def attach(self, spec: Spec) -> None:
        """Watch what triggers the function of `spec`, in place of what was watched before."""
        change = self._private.add if spec.options.private_webhooks else self._private.discard
        change(spec.function)
        await self._show_webhook_secret(spec.function)
        await self._triggers.attach(spec.function, spec.triggers, spec.options, limits=spec.limits)

    def wake(self) -> None:
        """Look at the queue: an engine may have become available."""
        self._runner.wake()

    async def detach(self, function: str) -> None:
        """Watch nothing for it any more."""
        await self._triggers.detach(function)

    async def forget(self, function: str) -> tuple[str, ...]:
        """Remove its jobs, deliveries and what its triggers remember; say what there was."""
        self._jobs.pop(function, None)
        removed = []
        if rows := await self._runner.forget(function):
            removed.append(f"{rows} jobs and deliveries")
        self._private.discard(function)
        self._paths.webhook_secret(function).unlink(missing_ok=True)
        letters = dead_letter_folder(self._paths.home, function)
        if letters.exists():
            await asyncio.to_thread(shutil.rmtree, letters)
            removed.append("dead letters")
        return tuple(removed)

    async def replay(self, function: str) -> int:
        """Queue every dead-lettered delivery again; return how many."""
        return await self._triggers.replay(function)

    async def backfill(self, function: str, source: str) -> int:
        """Queue the objects that exist under `source`; return how many."""
        return await self._triggers.backfill(function, source)

    async def _show_webhook_secret(self, function: str) -> None:
        """Write the signing key where its owner finds it, unless it stands there."""
        shown = shown_secret(await self._store.webhook_secret(function))
        path = self._paths.webhook_secret(function)
        if not path.exists() or path.read_text() != shown:
            private_file(path, shown)

    def _log(self, event: str, **fields: object) -> None:
        """Write an event to the log of the function it names."""
        function = fields.pop("function", None)
        log = self._log_of(str(function)) if function is not None else None
        if log is not None:
            failed = any(word in event for word in ("failed", "dead", "unavailable", "error"))
            log.write("error" if failed else "info", event, str(fields.pop("message", event)), **fields)
