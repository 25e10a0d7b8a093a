"""`/jobs` of one function, over the store that all functions of a home share."""

from preheat.errors import BadInput
from preheat.interface.message import Request
from preheat.runtime.jobs import Job
from preheat_providers.local.jobs.addresses import check_url
from preheat_providers.local.jobs.runner import JobRunner
from preheat_providers.local.jobs.store import JobStore

DEFAULT_TTL_S = 24 * 3600.0


class FunctionJobs:
    """The jobs of `function` (`name@stage`); implements `preheat.runtime.jobs.Jobs`."""

    def __init__(
        self,
        store: JobStore,
        runner: JobRunner,
        function: str,
        default_ttl_s: float = DEFAULT_TTL_S,
    ) -> None:
        self._store = store
        self._runner = runner
        self._function = function
        self._default_ttl_s = default_ttl_s

    async def submit(
        self, request: Request, *, idempotency_key: str | None, webhook: str | None, ttl_s: float | None
    ) -> tuple[Job, bool]:
        """Queue `request`; see `Jobs.submit`. Raises BadInput for a webhook that would be refused."""
        if webhook is not None:
            check_url(webhook, private=self._runner.courier.allow_private(self._function))
        kept_s = self._default_ttl_s if ttl_s is None else ttl_s
        if not kept_s > 0:
            raise BadInput(f"The time to live is {kept_s:g} s. It must be above 0.")
        job, new = await self._store.submit(
            self._function,
            request,
            expires=self._store.table.clock() + kept_s,
            idempotency_key=idempotency_key,
            webhook=webhook,
        )
        if new:
            self._runner.wake()
        return job, new

    async def get(self, job_id: str) -> Job:
        """Return the job as it is now."""
        return await self._store.get(self._function, job_id)

    async def cancel(self, job_id: str) -> Job:
        """Cancel the job unless it has finished, and stop the attempt that runs."""
        job = await self._store.cancel(self._function, job_id)
        self._runner.interrupt(job_id)
        self._runner.courier.wake()
        return job
