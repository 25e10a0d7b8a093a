"""Between rows of the table `jobs` and the data that the program sees. Reads only the bodies' folder."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Mapping
from typing import Any

from preheat.interface.message import TRACE_HEADERS, Request, Response
from preheat.runtime.jobs import Job
from preheat_providers.local.jobs.files import Bodies
from preheat_providers.local.jobs.model import Claim

INLINE_BYTES = 64 * 1024
"""A body above this is kept in a file beside the database."""


def new_id(now: float) -> str:
    """Return 32 hex digits that sort by time and cannot be guessed: 48 bits of ms, then 80 random bits."""
    return f"{int(now * 1000) & 0xFFFF_FFFF_FFFF:012x}{os.urandom(10).hex()}"


def request_file(job_id: str) -> str:
    """Return the name of the file of a large request body."""
    return f"{job_id}.request"


def response_file(job_id: str, attempt: int) -> str:
    """Return the name of the file of a large answer; two attempts never share one."""
    return f"{job_id}.response-{attempt}"


def request_digest(request: Request) -> str:
    """Return what makes two requests the same one: media types and body, not their ids."""
    head = json.dumps([request.content_type, request.accept]).encode()
    return hashlib.sha256(head + b"\0" + request.body).hexdigest()


def request_head(request: Request) -> str:
    """Return all of a request but its body, as JSON."""
    return json.dumps(
        {
            "content_type": request.content_type,
            "accept": request.accept,
            "timeout_s": request.timeout_s,
            "headers": dict(request.headers),
        }
    )


def response_head(response: Response) -> str:
    """Return all of an answer but its body, as JSON."""
    return json.dumps(
        {
            "status": response.status,
            "content_type": response.content_type,
            "headers": dict(response.headers),
            "queue_ms": response.queue_ms,
            "model_ms": response.model_ms,
        }
    )


def read_claim(row: sqlite3.Row, bodies: Bodies) -> Claim:
    """Return a row that has just been taken. Raises FileNotFoundError when its body's file is gone."""
    return Claim(
        id=row["id"],
        function=row["function"],
        kind=row["kind"],
        attempt=row["attempt"],
        failures=row["failures"],
        max_attempts=row["max_attempts"],
        created=row["created"],
        request=Request(id=row["id"], **_message(row, "request", bodies, request_file(row["id"]))),
        source=_document(row["source"]),
        sink=_document(row["sink"]),
    )


def read_job(row: sqlite3.Row, bodies: Bodies) -> Job:
    """Return a row as what /jobs shows."""
    return Job(
        id=row["id"],
        status=row["status"],
        created=row["created"],
        started=row["started"],
        finished=row["finished"],
        expires=row["expires"],
        attempts=row["attempt"],
        response=_response(row, bodies),
    )


def read_trace(row: sqlite3.Row) -> Mapping[str, str]:
    """Return the trace that the request of a row belongs to, as headers."""
    headers: Mapping[str, str] = json.loads(row["request"])["headers"]
    return {name: headers[name] for name in TRACE_HEADERS if name in headers}


def _response(row: sqlite3.Row, bodies: Bodies) -> Response | None:
    if row["response"] is None:
        return None
    return Response(**_message(row, "response", bodies, response_file(row["id"], row["attempt"])))


def _message(row: sqlite3.Row, column: str, bodies: Bodies, file: str) -> dict[str, Any]:
    """Return what `request_head` or `response_head` wrote, with the body from its column or its file."""
    body = row[f"{column}_body"]
    return {**json.loads(row[column]), "body": bodies.read(file) if body is None else body}


def _document(text: str | None) -> Mapping[str, Any] | None:
    if text is None:
        return None
    document: Mapping[str, Any] = json.loads(text)
    return document
