"""What is kept of a job beside its call: three entries of a Dict, each a plain dictionary. Pure. Ships.

| key | written | holds |
|---|---|---|
| `job/ID` | once, with the job | the call, `created` and `expires` |
| `attempt/ID` | when an attempt begins | its number, and when it began |
| `end/ID` | once, by whoever ends the job first | how, when, and after how many attempts |

What is written once is written only where nothing is, so a job has one end, whatever else happens.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from preheat.interface.message import Request, Response

Item = dict[str, Any]
EndStatus = Literal["succeeded", "failed", "cancelled"]

DEFAULT_TTL_S = 24 * 3600.0
LONGEST_TTL_S = 7 * 24 * 3600.0
"""Modal keeps the result of a call and an entry of a Dict for 7 days
(https://modal.com/docs/guide/job-queue and https://modal.com/docs/guide/dicts, read on 2026-11-21)."""

ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One job: `call` is the id of Modal's call. Times are seconds of the epoch."""

    call: str
    created: float
    expires: float

    def item(self) -> Item:
        """Return the record as it is kept."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The attempt that began last, counted from 1."""

    number: int
    started: float

    def item(self) -> Item:
        """Return the attempt as it is kept."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a job ended. `why` says what became of one that nobody answered."""

    status: EndStatus
    finished: float
    started: float | None = None
    attempts: int = 0
    why: str | None = None

    def item(self) -> Item:
        """Return the end as it is kept."""
        return asdict(self)


def new_id() -> str:
    """Return 32 hex digits that cannot be guessed."""
    return os.urandom(16).hex()


def job_key(job_id: str) -> str:
    """Return the key of a job's record."""
    return f"job/{job_id}"


def attempt_key(job_id: str) -> str:
    """Return the key of its attempt."""
    return f"attempt/{job_id}"


def end_key(job_id: str) -> str:
    """Return the key of its end."""
    return f"end/{job_id}"


def idempotency_entry(key: str, request: Request, job_id: str, expires: float) -> tuple[str, Item]:
    """Return the entry that says which job, of which request, `key` stands for."""
    name = f"key/{hashlib.sha256(key.encode()).hexdigest()}"
    return name, {"job": job_id, "digest": _digest(request), "expires": expires}


def asked(request: Request) -> Item:
    """Return `request` as a call carries it."""
    return {
        "body": request.body,
        "content_type": request.content_type,
        "accept": request.accept,
        "timeout_s": request.timeout_s,
        "headers": dict(request.headers),
    }


def request_of(job_id: str, item: Mapping[str, Any]) -> Request:
    """Return what `asked` took apart; its id is the job's."""
    return Request(id=job_id, **item)


def answered(response: Response) -> Item:
    """Return `response`, which is no stream, as a call returns it."""
    return {
        "status": response.status,
        "content_type": response.content_type,
        "body": response.body,
        "headers": dict(response.headers),
        "queue_ms": response.queue_ms,
        "model_ms": response.model_ms,
        "batch_size": response.batch_size,
    }


def response_of(item: Mapping[str, Any]) -> Response:
    """Return what `answered` took apart."""
    return Response(**item)


def _digest(request: Request) -> str:
    head = json.dumps([request.content_type, request.accept]).encode()
    return hashlib.sha256(head + b"\0" + request.body).hexdigest()
