"""The jobs of one function: what submits, reads and cancels them. Ships."""

import time
from collections.abc import Callable
from typing import assert_never

from preheat.errors import BadInput, Conflicting, NotFound, NotOffered, Unavailable, WorkerDied
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.jobs import Job, JobStatus
from preheat_providers.modal.shipped.jobs.calls import Calls, Entries, Forgotten, Lost
from preheat_providers.modal.shipped.jobs.records import (
    DEFAULT_TTL_S,
    LONGEST_TTL_S,
    Attempt,
    End,
    EndStatus,
    Record,
    asked,
    attempt_key,
    end_key,
    idempotency_entry,
    job_key,
    new_id,
    response_of,
)


class JobQueue:
    """Jobs whose records are in `entries` and which `calls` run; implements `preheat.runtime.jobs.Jobs`."""

    def __init__(self, entries: Entries, calls: Calls, *, clock: Callable[[], float] = time.time) -> None:
        self._entries = entries
        self._calls = calls
        self._clock = clock

    async def submit(
        self, request: Request, *, idempotency_key: str | None, webhook: str | None, ttl_s: float | None
    ) -> tuple[Job, bool]:
        """Spawn a job; return it and whether it is new.

        Raises Conflicting for a key that came with another request, BadInput for a time to live that is
        not above 0 and at most 7 days, NotOffered for a webhook, and Unavailable when nothing was recorded.
        """
        if webhook is not None:
            raise NotOffered(
                "A function on Modal calls no webhooks. Leave out x-preheat-webhook, and ask for the job."
            )
        now, kept_s = self._clock(), DEFAULT_TTL_S if ttl_s is None else ttl_s
        if not 0 < kept_s <= LONGEST_TTL_S:
            raise BadInput(
                f"The time to live is {kept_s:g} s. Here it is above 0 and at most 604800 (7 days)."
            )
        job_id, expires = new_id(), now + kept_s
        if idempotency_key is None:
            return await self._begin(job_id, request, now, expires), True
        name, entry = idempotency_entry(idempotency_key, request, job_id, expires)
        known = None if await self._entries.add(name, entry) else await self._entries.get(name)
        if known is None:
            return await self._begin(job_id, request, now, expires), True
        if known["expires"] <= now:
            await self._entries.put(name, entry)
            return await self._begin(job_id, request, now, expires), True
        if known["digest"] != entry["digest"]:
            raise Conflicting(
                f"The idempotency key {idempotency_key!r} was used for another request, job {known['job']}."
            )
        if await self._entries.get(job_key(known["job"])) is None:
            # Whoever used the key first has not come to this, and may never.
            return await self._begin(known["job"], request, now, known["expires"]), True
        return await self.get(known["job"]), False

    async def get(self, job_id: str) -> Job:
        """Return the job as it is now. Raises NotFound."""
        record = await self._record(job_id)
        end = await self._entries.get(end_key(job_id))
        if end is None:
            return await self._unfinished(job_id, record)
        return await self._finished(job_id, record, End(**end))

    async def cancel(self, job_id: str) -> Job:
        """Cancel the job unless it has ended; the answer of an attempt that goes on is dropped."""
        record = await self._record(job_id)
        end = self._end(await self._attempt(job_id), "cancelled")
        if await self._entries.add(end_key(job_id), end.item()):
            await self._calls.cancel(record.call)
        return await self.get(job_id)

    async def _begin(self, job_id: str, request: Request, now: float, expires: float) -> Job:
        call = await self._calls.spawn(job_id, asked(request))
        record = Record(call=call, created=now, expires=expires)
        try:
            first = await self._entries.add(job_key(job_id), record.item())
        except Unavailable:
            await self._calls.cancel(call)
            raise
        if not first:
            await self._calls.cancel(call)
            return await self.get(job_id)
        return _job(job_id, record, status="queued")

    async def _unfinished(self, job_id: str, record: Record) -> Job:
        outcome, attempt = await self._calls.outcome(record.call), await self._attempt(job_id)
        match outcome:
            case Forgotten():
                raise _unknown(job_id)
            case Lost(why):
                await self._entries.add(end_key(job_id), self._end(attempt, "failed", why).item())
                return await self.get(job_id)
            case None | dict():
                return _job(job_id, record, status="running" if attempt else "queued", attempt=attempt)
            case _:
                assert_never(outcome)

    async def _finished(self, job_id: str, record: Record, end: End) -> Job:
        if end.status == "cancelled":
            return _job(job_id, record, status="cancelled", end=end)
        if end.why is not None:
            return _job(job_id, record, status="failed", end=end, response=_lost(job_id, end.why))
        outcome = await self._calls.outcome(record.call)
        match outcome:
            case Forgotten():
                raise _unknown(job_id)
            case Lost(why):
                return _job(job_id, record, status="failed", end=end, response=_lost(job_id, why))
            case None:  # the answer is on its way
                attempt = Attempt(number=end.attempts, started=end.started or end.finished)
                return _job(job_id, record, status="running", attempt=attempt)
            case dict():
                return _job(job_id, record, status=end.status, end=end, response=response_of(outcome))
            case _:
                assert_never(outcome)

    def _end(self, attempt: Attempt | None, status: EndStatus, why: str | None = None) -> End:
        return End(
            status=status,
            finished=self._clock(),
            started=attempt.started if attempt else None,
            attempts=attempt.number if attempt else 0,
            why=why,
        )

    async def _record(self, job_id: str) -> Record:
        item = await self._entries.get(job_key(job_id))
        record = None if item is None else Record(**item)
        if record is None or record.expires <= self._clock():
            raise _unknown(job_id)
        return record

    async def _attempt(self, job_id: str) -> Attempt | None:
        item = await self._entries.get(attempt_key(job_id))
        return None if item is None else Attempt(**item)


def _job(
    job_id: str,
    record: Record,
    *,
    status: JobStatus,
    attempt: Attempt | None = None,
    end: End | None = None,
    response: Response | None = None,
) -> Job:
    return Job(
        id=job_id,
        status=status,
        created=record.created,
        expires=record.expires,
        started=end.started if end else attempt.started if attempt else None,
        finished=end.finished if end else None,
        attempts=end.attempts if end else attempt.number if attempt else 0,
        response=response,
    )


def _unknown(job_id: str) -> NotFound:
    return NotFound(f"There is no job {job_id}, or it has expired.")


def _lost(job_id: str, why: str) -> Response:
    return problem_response(WorkerDied(f"The job was lost. {why}"), request_id=job_id)
