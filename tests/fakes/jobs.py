"""A job queue in memory, whose jobs run when the test says so."""

from dataclasses import replace

from preheat.errors import Conflicting, NotFound
from preheat.interface.message import Request, Response
from preheat.runtime.jobs import Job


class MemoryJobs:
    """Implements the Jobs protocol; `submitted` holds what each job was given."""

    def __init__(self, *, now: float = 1_700_000_000.0) -> None:
        self.now = now
        self.jobs: dict[str, Job] = {}
        self.submitted: dict[str, tuple[Request, str | None, float | None]] = {}
        self._keys: dict[str, str] = {}

    async def submit(
        self, request: Request, *, idempotency_key: str | None, webhook: str | None, ttl_s: float | None
    ) -> tuple[Job, bool]:
        known = self._keys.get(idempotency_key or "")
        if known is not None:
            if self.submitted[known][0].body != request.body:
                raise Conflicting(f"The idempotency key {idempotency_key!r} was used for another request.")
            return self.jobs[known], False
        job = Job(
            id=f"job-{len(self.jobs) + 1}",
            status="queued",
            created=self.now,
            expires=self.now + (ttl_s or 3600),
        )
        self.jobs[job.id] = job
        self.submitted[job.id] = (request, webhook, ttl_s)
        if idempotency_key is not None:
            self._keys[idempotency_key] = job.id
        return job, True

    async def get(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise NotFound(f"There is no job {job_id!r}.")
        return self.jobs[job_id]

    async def cancel(self, job_id: str) -> Job:
        job = await self.get(job_id)
        if job.status in ("queued", "running"):
            job = replace(job, status="cancelled", finished=self.now)
            self.jobs[job_id] = job
        return job

    def finish(self, job_id: str, response: Response) -> None:
        """Record `response` as the job's answer."""
        status = "failed" if response.status >= 400 else "succeeded"
        self.jobs[job_id] = replace(
            self.jobs[job_id],
            status="failed" if status == "failed" else "succeeded",
            started=self.now + 1,
            finished=self.now + 2.5,
            attempts=1,
            response=response,
        )
