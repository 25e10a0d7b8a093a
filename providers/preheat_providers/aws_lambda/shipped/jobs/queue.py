"""The queue of one function: what submits, reads and cancels jobs, and what runs their attempts."""

import time
from collections.abc import Callable
from dataclasses import replace

from preheat.errors import BadInput, Conflicting, NotFound, PreheatError, Unavailable, WorkerDied
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.jobs import Job
from preheat_providers.aws_lambda.shipped.jobs.calls import JobCall
from preheat_providers.aws_lambda.shipped.jobs.client import Clients, asking
from preheat_providers.aws_lambda.shipped.jobs.records import (
    ATTEMPTS,
    DEFAULT_TTL_S,
    LONGEST_TTL_S,
    Item,
    Record,
    answer_head,
    answer_key,
    answer_of,
    body_key,
    idempotency_item,
    new_id,
)
from preheat_providers.aws_lambda.shipped.jobs.table import JobTable


class StillRuns(PreheatError):
    """Another call runs the job; Lambda is to come again with this one."""


class JobQueue:
    """Jobs in `table` and `bucket`, run by asynchronous calls of `function`: `NAME:ALIAS`."""

    def __init__(
        self,
        clients: Clients,
        *,
        table: str,
        bucket: str,
        function: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clients = clients
        self._table = JobTable(clients.dynamodb, table)
        self._bucket = bucket
        self._function = function
        self._clock = clock

    def submit(
        self, request: Request, *, idempotency_key: str | None = None, ttl_s: float | None = None
    ) -> tuple[Job, bool]:
        """Record a job and have it run; return it and whether it is new.

        Raises Conflicting for a key that came with another request, BadInput for a time to live that is
        not above 0 and at most 7 days, and Unavailable when the job was not called for: nothing is kept of
        one without a key, and one with a key waits for whoever sends that again.
        """
        now, kept_s = self._clock(), DEFAULT_TTL_S if ttl_s is None else ttl_s
        if not 0 < kept_s <= LONGEST_TTL_S:
            raise BadInput(
                f"The time to live is {kept_s:g} s. Here it is above 0 and at most 604800 (7 days)."
            )
        record = Record(id=new_id(), created=now, expires=now + kept_s)
        if idempotency_key is None:
            return self._begin(record, request, shared=False), True
        item = idempotency_item(idempotency_key, request, record)
        if self._table.add(item, now):
            return self._begin(record, request, shared=True), True
        return self._again(item, record, request, idempotency_key)

    def get(self, job_id: str) -> Job:
        """Return the job as it is now. Raises NotFound."""
        now = self._clock()
        record = self._ended(self._record(job_id), now)
        return record.job(now, self._answer(record))

    def cancel(self, job_id: str) -> Job:
        """Cancel the job unless it has finished; the answer of an attempt that runs is dropped."""
        while True:
            record = self._record(job_id)
            if record.finished is not None:
                return self.get(job_id)
            cancelled = replace(record, status="cancelled", finished=self._clock())
            if self._table.replace(record, _released(cancelled)):
                return self.get(job_id)

    def claim(self, job_id: str, *, caller: str, left_s: float) -> Record | None:
        """Take the job for an attempt of `left_s`; None when there is nothing left to do.

        Raises StillRuns while another call has it. A repetition of a call has the call's id, and comes
        when that call is over (https://repost.aws/knowledge-center/lambda-function-duplicate-invocations,
        read on 2026-11-21), so that it need not wait.
        """
        now = self._clock()
        found = self._table.record(job_id, now)
        record = None if found is None else self._ended(found, now)
        if record is None or record.finished is not None:
            return None
        mine = record.held_by == caller
        if record.status == "running" and not (mine or record.overdue(now)):
            raise StillRuns(f"Job {job_id} is run by another call, until it ends or its time is over.")
        if record.attempts >= ATTEMPTS:
            self._lose(record, record.cut_off())
            return None
        taken = replace(
            record,
            status="running",
            attempts=record.attempts + 1,
            started=now,
            held_by=caller,
            held_until=now + left_s,
        )
        if not self._table.replace(record, taken):
            raise StillRuns(f"Job {job_id} was taken or cancelled at this moment.")
        return taken

    def body(self, call: JobCall) -> bytes:
        """Return what the job is asked. Raises NotFound, Unavailable."""
        return self._object(body_key(call.id)) if call.body is None else call.body

    def finish(self, record: Record, response: Response) -> bool:
        """Record the answer of the attempt that `record` is; False when it is no longer wanted."""
        key = answer_key(record.id)
        self._put(key, response.body)
        done = replace(
            record,
            status="succeeded" if response.status < 400 else "failed",
            finished=self._clock(),
            answer=answer_head(response),
            answer_key=key,
        )
        return self._table.replace(record, _released(done))

    def put_back(self, record: Record) -> bool:
        """Let the job wait for the next attempt; False when it is no longer wanted."""
        return self._table.replace(record, _released(replace(record, status="queued")))

    def _begin(self, record: Record, request: Request, *, shared: bool) -> Job:
        """Record the job and call for its first attempt; what is not `shared` is removed when either fails.

        Another submit of the same key may have taken a shared one up, and be accepted.
        """
        try:
            call = JobCall.of(record.id, request)
            if call.body is None:
                self._put(body_key(record.id), request.body)
            self._table.add(record.item(), record.created)
            self._call(call)
        except Unavailable:
            if not shared:
                self._table.remove(record.item())
            raise
        return record.job(record.created, None)

    def _again(self, item: Item, record: Record, request: Request, key: str) -> tuple[Job, bool]:
        """Return the job that came with the same key before."""
        known = self._table.item(item["id"])
        if known is None:
            raise Unavailable("The job of this idempotency key was removed at this moment.", retry_after_s=1)
        job_id = known["job"]["S"]
        if known["digest"] != item["digest"]:
            raise Conflicting(f"The idempotency key {key!r} was used for another request, job {job_id}.")
        found = self._table.record(job_id, record.created)
        if found is None:  # whoever used the key first has not come to this, and may never
            return self._begin(replace(record, id=job_id), request, shared=True), True
        if found.status == "queued" and not found.attempts:
            self._call(JobCall.of(job_id, request))
        return self.get(job_id), False

    def _call(self, call: JobCall) -> None:
        with asking("queued"):
            self._clients.calls.invoke(
                FunctionName=self._function, InvocationType="Event", Payload=call.event()
            )

    def _record(self, job_id: str) -> Record:
        record = self._table.record(job_id, self._clock())
        if record is None:
            raise NotFound(f"There is no job {job_id}, or it has expired.")
        return record

    def _ended(self, record: Record, now: float) -> Record:
        """Return the record, finished if nobody else will."""
        why = record.lost(now)
        if why is None:
            return record
        self._lose(record, why)
        return self._record(record.id)

    def _lose(self, record: Record, why: str) -> None:
        self.finish(record, problem_response(WorkerDied(f"The job was lost. {why}"), request_id=record.id))

    def _answer(self, record: Record) -> Response | None:
        if record.answer is None or record.answer_key is None:
            return None
        return answer_of(record.answer, self._object(record.answer_key))

    def _put(self, key: str, body: bytes) -> None:
        with asking("recorded"):
            self._clients.s3.put_object(Bucket=self._bucket, Key=key, Body=body)

    def _object(self, key: str) -> bytes:
        with asking("read"):
            found = self._clients.s3.get_object(Bucket=self._bucket, Key=key)
            with found["Body"] as stream:
                return stream.read()


def _released(record: Record) -> Record:
    return replace(record, held_by=None, held_until=None)
