"""What is kept of a job: one item of DynamoDB, and what it comes to when nobody finishes it. Pure."""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from preheat.interface.message import Request, Response
from preheat.runtime.jobs import Job, JobStatus

Item = dict[str, Any]

DEFAULT_TTL_S = 24 * 3600.0
LONGEST_TTL_S = 7 * 24 * 3600.0
"""The lifecycle of the bucket removes what jobs were asked and answered a week later."""

ATTEMPTS = 3
EVENT_S = 6 * 3600.0
"""How long Lambda keeps an asynchronous call:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html, read on 2026-11-21."""

GRACE_S = 30.0
"""For clocks that differ, and for a call that begins as its time ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One job. Times are seconds of the epoch.

    While an attempt runs, nobody else may take the job before `held_until` but a repetition of the same
    call, whose id is `held_by`. `answer` is all of the answer but its body, as JSON; that is in the
    bucket, under `answer_key`.
    """

    id: str
    status: JobStatus = "queued"
    created: float
    expires: float
    attempts: int = 0
    started: float | None = None
    finished: float | None = None
    held_by: str | None = None
    held_until: float | None = None
    answer: str | None = None
    answer_key: str | None = None

    def item(self) -> Item:
        """Return the record as DynamoDB takes it."""
        values = {
            "job_status": self.status,
            "created_at": self.created,
            "expiration": math.ceil(self.expires),
            "attempts": self.attempts,
            "started_at": self.started,
            "finished_at": self.finished,
            "held_by": self.held_by,
            "held_until": self.held_until,
            "answer": self.answer,
            "answer_key": self.answer_key,
        }
        known = {name: _value(value) for name, value in values.items() if value is not None}
        return {"id": {"S": record_key(self.id)}, **known}

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> "Record":
        """Return what `item` wrote."""
        return cls(
            id=item["id"]["S"].removeprefix(_JOB),
            status=item["job_status"]["S"],
            created=float(item["created_at"]["N"]),
            expires=float(item["expiration"]["N"]),
            attempts=int(item["attempts"]["N"]),
            started=_number(item, "started_at"),
            finished=_number(item, "finished_at"),
            held_by=_text(item, "held_by"),
            held_until=_number(item, "held_until"),
            answer=_text(item, "answer"),
            answer_key=_text(item, "answer_key"),
        )

    def job(self, now: float, response: Response | None) -> Job:
        """Return what /jobs says of it; what was cut off waits again."""
        waits = self.status == "running" and self.overdue(now)
        return Job(
            id=self.id,
            status="queued" if waits else self.status,
            created=self.created,
            started=self.started,
            finished=self.finished,
            expires=self.expires,
            attempts=self.attempts,
            response=response,
        )

    def overdue(self, now: float) -> bool:
        """Say whether the attempt that holds the record must be over."""
        return self.held_until is not None and now > self.held_until + GRACE_S

    def cut_off(self) -> str:
        """Return what became of the last attempt, when nobody heard of it."""
        return f"Attempt {self.attempts} was cut off: it ran out of time or out of memory."

    def lost(self, now: float) -> str | None:
        """Return why nobody will finish the job, or None while somebody may."""
        too_old = now > self.created + EVENT_S + GRACE_S
        match self.status:
            case "queued" if too_old:
                return "Lambda kept the call for 6 hours, and gave it up."
            case "running" if self.overdue(now) and (too_old or self.attempts >= ATTEMPTS):
                return self.cut_off()
            case _:
                return None


def new_id() -> str:
    """Return 32 hex digits that cannot be guessed."""
    return os.urandom(16).hex()


def record_key(job_id: str) -> str:
    """Return the key of a job's item."""
    return f"{_JOB}{job_id}"


def idempotency_item(key: str, request: Request, record: Record) -> Item:
    """Return the item that says which job, of which request, `key` stands for."""
    return {
        "id": {"S": f"preheat-key#{hashlib.sha256(key.encode()).hexdigest()}"},
        "job": {"S": record.id},
        "digest": {"S": _digest(request)},
        "expiration": {"N": str(math.ceil(record.expires))},
    }


def body_key(job_id: str) -> str:
    """Return where in the bucket the body of a job lies that is too large for its event."""
    return f"{job_id}/request"


def answer_key(job_id: str) -> str:
    """Return where in the bucket the body of an answer goes; no two answers share a place."""
    return f"{job_id}/answer-{new_id()}"


def answer_head(response: Response) -> str:
    """Return all of an answer but its body, as JSON."""
    return json.dumps(
        {
            "status": response.status,
            "content_type": response.content_type,
            "headers": dict(response.headers),
            "queue_ms": response.queue_ms,
            "model_ms": response.model_ms,
            "batch_size": response.batch_size,
        }
    )


def answer_of(head: str, body: bytes) -> Response:
    """Return what `answer_head` took apart."""
    return Response(**json.loads(head), body=body)


_JOB = "preheat-job#"


def _digest(request: Request) -> str:
    head = json.dumps([request.content_type, request.accept]).encode()
    return hashlib.sha256(head + b"\0" + request.body).hexdigest()


def _value(value: str | float) -> Mapping[str, str]:
    return {"S": value} if isinstance(value, str) else {"N": repr(value)}


def _text(item: Mapping[str, Any], name: str) -> str | None:
    return str(item[name]["S"]) if name in item else None


def _number(item: Mapping[str, Any], name: str) -> float | None:
    return float(item[name]["N"]) if name in item else None
