"""The object behind the generated class: one method for each of its hooks. Ships."""

import json
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preheat.errors import HandlerError, NotOffered
from preheat.interface.message import Request, Response
from preheat.runtime.answers import collected
from preheat.runtime.log import Log, log_to_stderr
from preheat_providers.modal.shipped.running import Running
from preheat_providers.modal.shipped.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from preheat_providers.modal.shipped.jobs.calls import Entries
    from preheat_providers.modal.shipped.jobs.client import Spawn
    from preheat_providers.modal.shipped.jobs.records import Item
    from preheat_providers.modal.shipped.uploads.working import Uploads


class Container:
    """A container that loads its model, serves it, and ends. Jobs cost nothing until one is spoken of."""

    def __init__(self, running: Running, log: Log = log_to_stderr) -> None:
        self._running = running
        self._log = log

    async def finish_after_restore(self) -> None:
        """Make the model ready in this container: after a restore, or right after the start."""
        await self._running.finish_after_restore()

    def asgi_application(self, spawn: "Spawn") -> "ASGIApp":
        """Return what answers web requests; `spawn` begins a call of `run_job`."""
        from preheat_providers.modal.shipped.jobs.waiting import FunctionJobs

        return self._running.asgi_application(FunctionJobs(lambda: self._entries, spawn))

    async def answer(self, call_id: str, asked: "Item") -> "Item":
        """Return the answer to a request that came past the endpoint; see `direct`."""
        from preheat_providers.modal.shipped.direct import answer

        running = self._running
        return await answer(call_id, asked, running.engine, running.limits, running.telemetry)

    async def run_job(self, job_id: str, request: Mapping[str, Any]) -> "Item | None":
        """Run a job and return its answer; see Attempts."""
        from preheat_providers.modal.shipped.jobs.attempts import Attempts

        return await Attempts(self._entries, self._running.engine, log=self._log).run(job_id, request)

    async def run_upload(self, trigger: str, uploaded: Mapping[str, Any]) -> "Item | None":
        """Run the model on an object that was uploaded, and write the result; see `uploads.working`."""
        return await self._uploads.run(trigger, uploaded)

    async def run_tick(self, name: str, call_id: str) -> None:
        """Run the schedule `name` on its input. Raises HandlerError where the handler refuses or fails."""
        ticks = self._running.settings.ticks
        if name not in ticks:
            raise NotOffered(f"The schedule {name!r} is none of this function's, which are {list(ticks)}.")
        body = json.dumps(ticks[name]).encode()
        response = await collected(await self._running.engine.invoke(Request(id=call_id, body=body)))
        if response.status >= 400:
            raise HandlerError(
                f"The schedule {name} was answered with {response.status}: {_detail(response)}"
            )
        message = f"{name}: done in {response.model_ms:.0f} ms"
        self._log({"level": "info", "event": "tick", "message": message, "request_id": call_id})

    async def on_exit(self) -> None:
        """Answer what is in hand, and run the handler's teardown."""
        await self._running.on_exit()

    @cached_property
    def _uploads(self) -> "Uploads":
        from preheat.runtime.objects.uploads import Upload
        from preheat_providers.modal.shipped.uploads.working import Uploads

        running = self._running
        return Uploads(
            [Upload.of(each) for each in running.settings.uploads],
            running.engine,
            self._entries,
            running.settings.access(os.environ).storage(),
            limit=running.limits.body_bytes,
            log=self._log,
        )

    @cached_property
    def _entries(self) -> "Entries":
        from preheat_providers.modal.shipped.jobs.client import own_entries

        return own_entries(self._running.settings.jobs)


def start_container(bundle: Path, settings: Mapping[str, Any]) -> Container:
    """Return a container that is as ready as a snapshot may keep it. Raises PreheatError."""
    running = Running(bundle, Settings.of(settings), environ=os.environ, leave=_leave)
    running.start_before_snapshot()
    return Container(running)


async def _leave() -> None:
    from preheat_providers.modal.shipped.jobs.client import leave

    await leave()


def _detail(response: Response) -> str:
    return str(json.loads(response.body)["detail"])
