"""Sends finished jobs to their webhooks, at least once, signed as standardwebhooks.com says."""

import asyncio
import base64
import hashlib
import hmac
import http.client
import random
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from preheat.errors import BadInput, Unavailable
from preheat.runtime.jobs import Job
from preheat.runtime.surface.jobs import job_document
from preheat_providers.local.jobs.addresses import Refused
from preheat_providers.local.jobs.alarm import Alarm
from preheat_providers.local.jobs.model import Clock, Log, quiet
from preheat_providers.local.jobs.post import Post, send
from preheat_providers.local.jobs.retry import Retry
from preheat_providers.local.jobs.rows import read_job, read_trace
from preheat_providers.local.jobs.store import JobStore

ATTEMPTS = 8
AT_ONCE = 4
WITHIN_S = 10.0
GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One finished job whose webhook has not answered yet."""

    job: Job
    function: str
    url: str
    attempts: int
    trace: Mapping[str, str]


def signature(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature`: HMAC-SHA256 over `id.timestamp.body` (standardwebhooks.com)."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def shown_secret(secret: bytes) -> str:
    """Return a signing secret as its receiver's library wants it."""
    return "whsec_" + base64.b64encode(secret).decode()


def never(_function: str) -> bool:
    """Let no function call private addresses."""
    return False


class Courier:
    """One courier a store. `allow_private` says which functions may call this machine and its networks."""

    def __init__(
        self,
        store: JobStore,
        *,
        clock: Clock = time.time,
        log: Log = quiet,
        allow_private: Callable[[str], bool] = never,
        post: Callable[[Post], int] = send,
        retry: Retry | None = None,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self.allow_private = allow_private
        self._store = store
        self._clock = clock
        self._log = log
        self._post = post
        self._retry = Retry(base_s=2.0, cap_s=300.0) if retry is None else retry
        self._rng = rng
        self._alarm = Alarm(clock)
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin with what an earlier process left."""
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; what was not delivered is sent at the next start."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None

    def wake(self) -> None:
        """Look for finished jobs now."""
        self._alarm.wake()

    async def _run(self) -> None:
        while True:
            try:
                letters = await self._due()
                await asyncio.gather(*(self._deliver(letter) for letter in letters))
                due = self._clock() if letters else await self._next()
            except Unavailable as error:
                self._log("jobs-store-unavailable", reason=error.message)
                due = self._clock() + 1.0
            await self._alarm.until(due)

    async def _deliver(self, letter: Letter) -> None:
        secret = await self._store.webhook_secret(letter.function)
        body = job_document(letter.job, f"/jobs/{letter.job.id}")
        timestamp = int(self._clock())
        post = Post(
            url=letter.url,
            body=body,
            headers={
                "content-type": "application/json",
                "user-agent": "preheat",
                "webhook-id": letter.job.id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": signature(secret, letter.job.id, timestamp, body),
                **letter.trace,
            },
            private=self.allow_private(letter.function),
            within_s=WITHIN_S,
        )
        result, final = await self._try(post)
        attempts = letter.attempts + 1
        again = not final and attempts < ATTEMPTS
        due = self._clock() + self._retry.delay_s(attempts, self._rng) if again else None
        await self._record(letter.job.id, attempts, due, result)
        self._log(
            "webhook",
            function=letter.function,
            job=letter.job.id,
            result=result,
            attempt=attempts,
            again=again,
        )

    async def _try(self, post: Post) -> tuple[str, bool]:
        """Send once; return what came of it and whether that is final."""
        try:
            status = await asyncio.to_thread(self._post, post)
        except (Refused, BadInput) as error:
            return f"refused: {error}", True
        except (OSError, http.client.HTTPException) as error:
            return f"failed: {error!r}", False
        return f"status {status}", 200 <= status < 300 or status == GONE

    async def _due(self) -> list[Letter]:
        def work(connection: sqlite3.Connection) -> list[Letter]:
            rows = connection.execute(
                "SELECT * FROM jobs WHERE webhook_due <= ? ORDER BY webhook_due LIMIT ?",
                (self._clock(), AT_ONCE),
            )
            return [
                Letter(
                    job=read_job(row, self._store.table.bodies),
                    function=row["function"],
                    url=row["webhook"],
                    attempts=row["webhook_attempts"],
                    trace=read_trace(row),
                )
                for row in rows
            ]

        return await self._store.database.read(work)

    async def _next(self) -> float | None:
        def work(connection: sqlite3.Connection) -> float | None:
            (due,) = connection.execute(
                "SELECT min(webhook_due) FROM jobs WHERE webhook_due IS NOT NULL"
            ).fetchone()
            return None if due is None else float(due)

        return await self._store.database.read(work)

    async def _record(self, job_id: str, attempts: int, due: float | None, result: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE jobs SET webhook_attempts = ?, webhook_due = ?, webhook_result = ? WHERE id = ?",
                (attempts, due, result, job_id),
            )

        await self._store.database.write(work)
