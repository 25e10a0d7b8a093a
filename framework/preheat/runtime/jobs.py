"""Asynchronous inference behind `/jobs`: the store is the provider's, the shape is every provider's."""

from dataclasses import dataclass
from typing import Literal, Protocol

from preheat.interface.message import Request, Response

JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One asynchronous inference. Times are seconds since the epoch; `response` is its recorded answer."""

    id: str
    status: JobStatus
    created: float
    started: float | None = None
    finished: float | None = None
    expires: float
    attempts: int = 0
    response: Response | None = None


class Jobs(Protocol):
    """A durable queue of inferences. Raises NotFound for an id that is unknown or has expired."""

    async def submit(
        self, request: Request, *, idempotency_key: str | None, webhook: str | None, ttl_s: float | None
    ) -> tuple[Job, bool]:
        """Record a job; return it and whether it is new. Raises Conflicting for a key used before."""
        ...

    async def get(self, job_id: str) -> Job:
        """Return the job as it is now."""
        ...

    async def cancel(self, job_id: str) -> Job:
        """Cancel a job that has not finished; a finished one is returned as it is."""
        ...
