"""What a job's call does: ask the model until it answers well, or for the last time. Ships."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from preheat.errors import RequestError
from preheat.interface.message import Engine, Response
from preheat.interface.problem import problem_response
from preheat.runtime.answers import collected
from preheat.runtime.log import Log, log_to_stderr
from preheat_providers.modal.shipped.jobs.calls import Entries
from preheat_providers.modal.shipped.jobs.records import (
    ATTEMPTS,
    Attempt,
    End,
    Item,
    answered,
    attempt_key,
    end_key,
    request_of,
)

BUSY = 429
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 60.0

Sleep = Callable[[float], Awaitable[None]]


def delay_s(failures: int, part: float) -> float:
    """Return how long to wait after the `failures`-th failure; `part`, from 0 to 1, is left to chance."""
    longest = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** (failures - 1))
    return longest * (0.5 + 0.5 * part)


class Attempts:
    """Runs the jobs of one function with `engine`."""

    def __init__(
        self,
        entries: Entries,
        engine: Engine,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        log: Log = log_to_stderr,
    ) -> None:
        self._entries = entries
        self._engine = engine
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._log = log

    async def run(self, job_id: str, item: Mapping[str, Any]) -> Item | None:
        """Run the job and return its answer, or None if it has ended otherwise.

        A call that Modal repeats, because its container died, goes on counting. If it died between the end
        and the answer, the job has succeeded and nobody has the answer: the model is asked for it again.
        """
        end = await self._entries.get(end_key(job_id))
        if end is not None:
            return await self._answer_again(job_id, item) if end["status"] == "succeeded" else None
        before = await self._entries.get(attempt_key(job_id))
        attempt = Attempt(number=0 if before is None else before["number"], started=self._clock())
        response: Response | None = None
        while attempt.number < ATTEMPTS:
            attempt = Attempt(number=attempt.number + 1, started=self._clock())
            await self._entries.put(attempt_key(job_id), attempt.item())
            response = await self._answer(job_id, item)
            if response.status < 500 or attempt.number == ATTEMPTS:
                break
            said = response.body.decode(errors="replace")
            self._tell("warning", "job-failed", job_id, f"failed: {said}", attempt.number)
            await self._sleep(delay_s(attempt.number, self._chance()))
        return await self._end(job_id, attempt, response)

    async def _answer(self, job_id: str, item: Mapping[str, Any]) -> Response:
        while True:
            try:
                response = await collected(await self._engine.invoke(request_of(job_id, item)))
            except RequestError as error:
                return problem_response(error, request_id=job_id)
            if response.status != BUSY:
                return response
            # A full queue is no attempt: nothing was tried.
            await self._sleep(float(response.headers.get("retry-after", FIRST_DELAY_S)))

    async def _answer_again(self, job_id: str, item: Mapping[str, Any]) -> Item | None:
        """Return the answer of a job that has succeeded, or None where the model gives none this time."""
        response = await self._answer(job_id, item)
        message = f"job {job_id}: had succeeded, and is asked again for its answer: {response.status}"
        self._log({"level": "warning", "event": "job-again", "message": message, "job_id": job_id})
        return answered(response) if response.status < 400 else None

    async def _end(self, job_id: str, attempt: Attempt, response: Response | None) -> Item | None:
        end = End(
            status="succeeded" if response is not None and response.status < 400 else "failed",
            finished=self._clock(),
            started=attempt.started,
            attempts=attempt.number,
            why=None if response is not None else f"Attempt {attempt.number} was cut off.",
        )
        if not await self._entries.add(end_key(job_id), end.item()):
            before = await self._entries.get(end_key(job_id))
            if response is None or before is None or before["status"] != end.status:
                self._tell("info", "job-dropped", job_id, "had ended otherwise before", attempt.number)
                return None
            # Two submits of one key have each spawned a call; the answer is read from the one in the record.
            self._tell("info", "job-finished", job_id, "was ended by another call too", attempt.number)
            return answered(response)
        if response is None:
            self._tell("error", "job-finished", job_id, "was cut off at its last attempt", attempt.number)
            return None
        level = "error" if response.status >= 500 else "info"
        self._tell(level, "job-finished", job_id, f"answered with {response.status}", attempt.number)
        return answered(response)

    def _tell(self, level: str, event: str, job_id: str, what: str, attempt: int) -> None:
        message = f"job {job_id}: {what}"
        self._log({"level": level, "event": event, "message": message, "job_id": job_id, "attempt": attempt})
