"""Statements on the table `jobs` and its bodies, each inside the caller's transaction."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from preheat.errors import HandlerFailed, NotFound, Unavailable
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat_providers.local.jobs.files import Bodies
from preheat_providers.local.jobs.model import Claim, Clock, Kind
from preheat_providers.local.jobs.rows import (
    INLINE_BYTES,
    new_id,
    read_claim,
    request_digest,
    request_file,
    request_head,
    response_file,
    response_head,
)

NEVER = float("inf")
DELIVERY_KEPT_S = 14 * 24 * 3600.0
"""How long a finished delivery is remembered: as long as a queue can hold its duplicate (SQS: 14 days)."""

_DUE = """
    SELECT id FROM jobs
    WHERE function = ? AND kind = ? AND status = 'queued' AND not_before <= ? AND expires > ?
    ORDER BY not_before, seq LIMIT ?
"""
_FINISH = """
    UPDATE jobs SET status = :status, finished = :now, response = :response, response_body = :body,
        webhook_due = CASE WHEN webhook IS NOT NULL THEN :now END,
        expires = CASE kind WHEN 'delivery' THEN :now + :kept ELSE expires END
    WHERE id = :id AND attempt = :attempt AND status = 'running'
"""
_WITH_REQUEST_FILE = "SELECT id FROM jobs WHERE request_body IS NULL"
_WITH_RESPONSE_FILE = "SELECT id, attempt FROM jobs WHERE response IS NOT NULL AND response_body IS NULL"


@dataclass(frozen=True, slots=True)
class Table:
    """The table `jobs` with the folder of large bodies."""

    bodies: Bodies
    clock: Clock

    def new_row(
        self, function: str, kind: Kind, request: Request, attempts: int
    ) -> dict[str, str | int | float | None]:
        """Return the columns that every new row has."""
        now = self.clock()
        return {
            "id": new_id(now),
            "function": function,
            "kind": kind,
            "status": "queued",
            "max_attempts": attempts,
            "not_before": now,
            "created": now,
            "digest": request_digest(request),
            "request": request_head(request),
        }

    def insert(self, connection: sqlite3.Connection, row: Mapping[str, object], body: bytes) -> None:
        """Add a row; a large body is on disk before the row that needs it. Raises Unavailable."""
        spilled = len(body) > INLINE_BYTES
        if spilled:
            self._spill(request_file(str(row["id"])), body)
        values = {**row, "request_body": None if spilled else body}
        columns = ", ".join(values)
        places = ", ".join(f":{name}" for name in values)
        connection.execute(f"INSERT INTO jobs ({columns}) VALUES ({places})", values)  # noqa: S608 - names are ours

    def find(
        self, connection: sqlite3.Connection, function: str, kind: Kind, key: str | None
    ) -> sqlite3.Row | None:
        """Return the row with this idempotency key."""
        if key is None:
            return None
        row: sqlite3.Row | None = connection.execute(
            "SELECT * FROM jobs WHERE function = ? AND kind = ? AND idempotency_key = ?",
            (function, kind, key),
        ).fetchone()
        return row

    def job(self, connection: sqlite3.Connection, function: str, job_id: str) -> sqlite3.Row:
        """Return the row of an unexpired job. Raises NotFound."""
        row: sqlite3.Row | None = connection.execute(
            "SELECT * FROM jobs WHERE id = ? AND function = ? AND kind = 'job' AND expires > ?",
            (job_id, function, self.clock()),
        ).fetchone()
        if row is None:
            raise NotFound(f"There is no job {job_id!r}: it never was, or it has expired.")
        return row

    def due(self, connection: sqlite3.Connection, function: str, kind: Kind, limit: int) -> list[str]:
        """Return the ids of due rows, the longest due first."""
        now = self.clock()
        return [row["id"] for row in connection.execute(_DUE, (function, kind, now, now, limit))]

    def take(self, connection: sqlite3.Connection, job_id: str) -> Claim | None:
        """Begin an attempt; None when the row's body is gone, which fails the row."""
        connection.execute(
            "UPDATE jobs SET status = 'running', attempt = attempt + 1, started = ? WHERE id = ?",
            (self.clock(), job_id),
        )
        row = connection.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        try:
            return read_claim(row, self.bodies)
        except FileNotFoundError:
            lost = problem_response(HandlerFailed("The request's body is gone from the job store."))
            self.finish(connection, job_id, row["attempt"], "failed", lost)
            return None

    def finish(
        self,
        connection: sqlite3.Connection,
        job_id: str,
        attempt: int,
        status: str,
        response: Response | None,
    ) -> bool:
        """End the attempt if the row still is at it."""
        body = None if response is None else response.body
        name = response_file(job_id, attempt)
        spilled = body is not None and len(body) > INLINE_BYTES
        if body is not None and spilled:
            self._spill(name, body)
        values = {
            "status": status,
            "now": self.clock(),
            "response": None if response is None else response_head(response),
            "body": None if spilled else body,
            "kept": DELIVERY_KEPT_S,
            "id": job_id,
            "attempt": attempt,
        }
        done = connection.execute(_FINISH, values).rowcount == 1
        if spilled and not done:
            self.bodies.remove(name)
        return done

    def remove(self, connection: sqlite3.Connection, rows: Iterable[sqlite3.Row]) -> int:
        """Delete rows, which have expired or belong to nobody, and their bodies; return how many rows."""
        count = 0
        for row in list(rows):
            connection.execute("DELETE FROM jobs WHERE id = ?", (row["id"],))
            self.bodies.remove(request_file(row["id"]))
            self.bodies.remove(response_file(row["id"], row["attempt"]))
            count += 1
        return count

    def sweep(self, connection: sqlite3.Connection) -> None:
        """Remove the bodies that no row names."""
        named = {request_file(row["id"]) for row in connection.execute(_WITH_REQUEST_FILE)}
        named |= {response_file(row["id"], row["attempt"]) for row in connection.execute(_WITH_RESPONSE_FILE)}
        self.bodies.sweep(named)

    def _spill(self, name: str, body: bytes) -> None:
        try:
            self.bodies.write(name, body)
        except OSError as error:
            raise Unavailable(
                f"The job store cannot keep a body of {len(body)} bytes: {error.strerror}."
                " Nothing was recorded.",
                retry_after_s=5,
            ) from error
