"""/jobs as the surface asks for it. The queue, and with it the AWS SDK, comes when it is first needed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from preheat.errors import NotOffered
from preheat.interface.message import Request
from preheat.runtime.jobs import Job

if TYPE_CHECKING:
    from preheat_providers.aws_lambda.shipped.jobs.queue import JobQueue


class FunctionJobs:
    """The jobs of one function; implements `preheat.runtime.jobs.Jobs`. A function asks for one at a time."""

    def __init__(self, queue: "Callable[[], JobQueue]") -> None:
        self._queue = queue

    async def submit(
        self, request: Request, *, idempotency_key: str | None, webhook: str | None, ttl_s: float | None
    ) -> tuple[Job, bool]:
        """Queue `request`; see `Jobs.submit`. Raises NotOffered for a webhook."""
        if webhook is not None:
            raise NotOffered(
                "A function on Lambda calls no webhooks. Leave out x-preheat-webhook, and ask for the job."
            )
        return self._queue().submit(request, idempotency_key=idempotency_key, ttl_s=ttl_s)

    async def get(self, job_id: str) -> Job:
        """Return the job as it is now."""
        return self._queue().get(job_id)

    async def cancel(self, job_id: str) -> Job:
        """Cancel the job unless it has finished."""
        return self._queue().cancel(job_id)
