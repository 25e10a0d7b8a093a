"""The durable queue: rows of jobs.db and the large bodies beside it. Every change is one transaction on disk.

A row goes `queued -> running -> succeeded | failed | cancelled`. The step out of `running` is one
conditional UPDATE on the attempt's number: whatever dies when, each row is finished once.
"""

import json
import secrets
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from preheat.errors import Conflicting
from preheat.interface.message import Request, Response
from preheat.runtime.jobs import Job
from preheat_providers.local.jobs.database import Database
from preheat_providers.local.jobs.files import Bodies
from preheat_providers.local.jobs.memory import record_object
from preheat_providers.local.jobs.model import Claim, Clock, Counts, Delivery, Finished, Kind, Lane
from preheat_providers.local.jobs.rows import read_job, request_file, response_file
from preheat_providers.local.jobs.table import NEVER, Table

_NEXT_LANE = """
    SELECT function, kind, not_before FROM jobs WHERE status = 'queued' AND (function, kind) > (?, ?)
    ORDER BY function, kind, not_before LIMIT 1
"""
_CANCEL = """
    UPDATE jobs SET status = 'cancelled', finished = :now,
        webhook_due = CASE WHEN webhook IS NOT NULL THEN :now END
    WHERE id = :id AND status IN ('queued', 'running')
"""


class JobStore:
    """The queue of one home. `clock` is the wall clock, since due times outlive the process."""

    def __init__(self, path: Path, *, clock: Clock = time.time, bodies: Bodies | None = None) -> None:
        self._clock = clock
        self._table = Table(
            Bodies(path.with_name(path.name + ".bodies")) if bodies is None else bodies, clock
        )
        self.database = Database(path)

    @property
    def table(self) -> Table:
        """The statements on rows, for the other modules that work on this file."""
        return self._table

    def close(self) -> None:
        """Close the file; nothing may be called afterwards."""
        self.database.close()

    async def recover(self) -> int:
        """Put back what was running when the process ended; return how many rows that were."""

        def work(connection: sqlite3.Connection) -> int:
            requeued = connection.execute(
                "UPDATE jobs SET status = 'queued', not_before = ? WHERE status = 'running'", (self._clock(),)
            ).rowcount
            self._table.sweep(connection)
            return requeued

        return await self.database.write(work)

    async def submit(
        self,
        function: str,
        request: Request,
        *,
        expires: float,
        idempotency_key: str | None = None,
        webhook: str | None = None,
        attempts: int = 3,
    ) -> tuple[Job, bool]:
        """Queue a request; return the job and whether it is new.

        Raises Conflicting for a key that came with another request, Unavailable when the disk refuses.
        """
        table = self._table
        row = table.new_row(function, "job", request, attempts)
        row |= {"expires": expires, "idempotency_key": idempotency_key, "webhook": webhook}
        job_id = str(row["id"])

        def work(connection: sqlite3.Connection) -> tuple[Job, bool]:
            present = table.find(connection, function, "job", idempotency_key)
            if present is not None and present["expires"] <= self._clock():
                table.remove(connection, [present])
                present = None
            if present is None:
                table.insert(connection, row, request.body)
                return read_job(table.job(connection, function, job_id), table.bodies), True
            if present["digest"] != row["digest"]:
                raise Conflicting(
                    f"The idempotency key {idempotency_key!r} was used for another request,"
                    f" job {present['id']}."
                )
            return read_job(present, table.bodies), False

        return await self.database.write(work, undo=lambda: table.bodies.remove(request_file(job_id)))

    async def deliver(self, function: str, delivery: Delivery) -> bool:
        """Queue a delivery unless its key, or its object's version, has been; return whether it is new."""
        table = self._table
        row = table.new_row(function, "delivery", delivery.request, delivery.attempts)
        row |= {
            "expires": NEVER,
            "idempotency_key": delivery.key,
            "source": json.dumps(delivery.source),
            "sink": None if delivery.sink is None else json.dumps(delivery.sink),
        }

        def work(connection: sqlite3.Connection) -> bool:
            if delivery.known is not None and record_object(connection, function, delivery.known):
                return False
            if table.find(connection, function, "delivery", delivery.key) is not None:
                return False
            table.insert(connection, row, delivery.request.body)
            return True

        return await self.database.write(work, undo=lambda: table.bodies.remove(request_file(str(row["id"]))))

    async def get(self, function: str, job_id: str) -> Job:
        """Return a job of `function`. Raises NotFound when there is none, or it has expired."""
        table = self._table
        return await self.database.read(
            lambda connection: read_job(table.job(connection, function, job_id), table.bodies)
        )

    async def cancel(self, function: str, job_id: str) -> Job:
        """Cancel a job that has not finished; return it as it is then. Raises NotFound."""
        table = self._table

        def work(connection: sqlite3.Connection) -> Job:
            table.job(connection, function, job_id)
            connection.execute(_CANCEL, {"now": self._clock(), "id": job_id})
            return read_job(table.job(connection, function, job_id), table.bodies)

        return await self.database.write(work)

    async def lanes(self) -> tuple[Lane, ...]:
        """Return what waits, by function and kind."""

        def work(connection: sqlite3.Connection) -> tuple[Lane, ...]:
            lanes: list[Lane] = []
            row = connection.execute(_NEXT_LANE, ("", "")).fetchone()
            # One look at the index per lane; GROUP BY would read every queued row.
            while row is not None:
                lanes.append(Lane(function=row["function"], kind=row["kind"], due=row["not_before"]))
                row = connection.execute(_NEXT_LANE, (row["function"], row["kind"])).fetchone()
            return tuple(lanes)

        return await self.database.read(work)

    async def claim(self, function: str, kinds: Sequence[Kind], limit: int) -> tuple[Claim, ...]:
        """Take up to `limit` due rows, the kinds in turn from the first; each is `running` then."""

        def work(connection: sqlite3.Connection) -> tuple[Claim, ...]:
            lanes = [self._table.due(connection, function, kind, limit) for kind in kinds]
            turns = [lane[turn] for turn in range(limit) for lane in lanes if turn < len(lane)]
            claims = [self._table.take(connection, job_id) for job_id in turns[:limit]]
            return tuple(claim for claim in claims if claim is not None)

        return await self.database.write(work)

    async def finish(self, claim: Claim, status: Finished, response: Response | None) -> bool:
        """Record the end of an attempt; False when the row is no longer at it (cancelled, or taken anew)."""
        return await self.database.write(
            lambda connection: self._table.finish(connection, claim.id, claim.attempt, status, response),
            undo=lambda: self._table.bodies.remove(response_file(claim.id, claim.attempt)),
        )

    async def put_back(self, claim: Claim, *, not_before: float, failed: bool) -> bool:
        """Queue the row again for `not_before`, counting a failure or not; False as in `finish`."""

        def work(connection: sqlite3.Connection) -> bool:
            done = connection.execute(
                "UPDATE jobs SET status = 'queued', not_before = ?, failures = failures + ?"
                " WHERE id = ? AND attempt = ? AND status = 'running'",
                (not_before, int(failed), claim.id, claim.attempt),
            ).rowcount
            return done == 1

        return await self.database.write(work)

    async def revive(self, job_id: str, attempt: int) -> bool | None:
        """Queue again what failed at `attempt`; False when it ran since, None when the row is not kept."""

        def work(connection: sqlite3.Connection) -> bool | None:
            if connection.execute("SELECT 1 FROM jobs WHERE id = ?", (job_id,)).fetchone() is None:
                return None
            done = connection.execute(
                "UPDATE jobs SET status = 'queued', not_before = ?, failures = 0, finished = NULL,"
                " expires = ?, response = NULL, response_body = NULL"
                " WHERE id = ? AND attempt = ? AND status = 'failed'",
                (self._clock(), NEVER, job_id, attempt),
            ).rowcount
            return done == 1

        return await self.database.write(work)

    async def purge(self) -> float | None:
        """Remove what has expired and is not running; return when the next row expires."""

        def work(connection: sqlite3.Connection) -> float | None:
            expired = connection.execute(
                "SELECT * FROM jobs WHERE expires <= ? AND status != 'running'", (self._clock(),)
            )
            self._table.remove(connection, expired)
            (due,) = connection.execute(
                "SELECT min(expires) FROM jobs WHERE expires < ? AND status != 'running'", (NEVER,)
            ).fetchone()
            return None if due is None else float(due)

        return await self.database.write(work)

    async def counts(self, function: str) -> Counts:
        """Return how many of the function's rows are in each state."""

        def work(connection: sqlite3.Connection) -> Counts:
            rows = connection.execute(
                "SELECT status, count(*) FROM jobs WHERE function = ? GROUP BY status", (function,)
            )
            return Counts(**{row[0]: row[1] for row in rows})

        return await self.database.read(work)

    async def forget(self, function: str) -> int:
        """Remove all that is kept for `function`, whatever its state; return how many rows that were."""

        def work(connection: sqlite3.Connection) -> int:
            removed = self._table.remove(
                connection, connection.execute("SELECT * FROM jobs WHERE function = ?", (function,))
            )
            for statement in (
                "DELETE FROM objects WHERE function = ?",
                "DELETE FROM cursors WHERE function = ?",
                "DELETE FROM secrets WHERE function = ?",
            ):
                connection.execute(statement, (function,))
            return removed

        return await self.database.write(work)

    async def webhook_secret(self, function: str) -> bytes:
        """Return the 32 bytes that sign the function's webhooks; they are made on first use."""

        def work(connection: sqlite3.Connection) -> bytes:
            connection.execute(
                "INSERT INTO secrets (function, secret) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (function, secrets.token_bytes(32)),
            )
            row = connection.execute("SELECT secret FROM secrets WHERE function = ?", (function,)).fetchone()
            return bytes(row["secret"])

        return await self.database.write(work)
