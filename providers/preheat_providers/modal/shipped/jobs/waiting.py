"""/jobs as the surface asks for it; the queue comes when a job is first spoken of. Ships."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from preheat.interface.message import Request
from preheat.runtime.jobs import Job

if TYPE_CHECKING:
    from preheat_providers.modal.shipped.jobs.calls import Entries
    from preheat_providers.modal.shipped.jobs.client import Spawn
    from preheat_providers.modal.shipped.jobs.queue import JobQueue


class FunctionJobs:
    """The jobs of one function; implements `preheat.runtime.jobs.Jobs`."""

    def __init__(self, entries: "Callable[[], Entries]", spawn: "Spawn") -> None:
        self._entries = entries
        self._spawn = spawn

    async def submit(
        self, request: Request, *, idempotency_key: str | None, webhook: str | None, ttl_s: float | None
    ) -> tuple[Job, bool]:
        """Spawn `request`; see `Jobs.submit`."""
        return await self._queue.submit(
            request, idempotency_key=idempotency_key, webhook=webhook, ttl_s=ttl_s
        )

    async def get(self, job_id: str) -> Job:
        """Return the job as it is now."""
        return await self._queue.get(job_id)

    async def cancel(self, job_id: str) -> Job:
        """Cancel the job unless it has finished."""
        return await self._queue.cancel(job_id)

    @cached_property
    def _queue(self) -> "JobQueue":
        from preheat_providers.modal.shipped.jobs.client import ModalCalls
        from preheat_providers.modal.shipped.jobs.queue import JobQueue

        return JobQueue(self._entries(), ModalCalls(self._spawn))
