"""One attempt at a job: the model is asked, and what it says is recorded or tried again."""

from collections.abc import Callable, Mapping
from typing import Any

from preheat.errors import DeadlineExceeded, PreheatError, RequestError
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.log import Log, log_to_stderr
from preheat_providers.aws_lambda.shipped.context import LambdaContext, left_s
from preheat_providers.aws_lambda.shipped.jobs.calls import JobCall
from preheat_providers.aws_lambda.shipped.jobs.queue import JobQueue
from preheat_providers.aws_lambda.shipped.jobs.records import ATTEMPTS, Record

BUSY = 429


class AttemptFailed(PreheatError):
    """The attempt came to an answer of 5xx and is not the last: Lambda is to call again."""


class Attempts:
    """Runs the jobs of one function."""

    def __init__(
        self, queue: JobQueue, invoke: Callable[[Request], Response], log: Log = log_to_stderr
    ) -> None:
        self._queue = queue
        self._invoke = invoke
        self._log = log

    def run(self, event: Mapping[str, Any], context: LambdaContext) -> None:
        """Run the job that `event` names, unless it has ended.

        Raises what Lambda is to repeat the call for: AttemptFailed, StillRuns, Unavailable; and
        UnknownEvent for what is no job.
        """
        call = JobCall.read(event)
        record = self._queue.claim(call.id, caller=context.aws_request_id, left_s=max(0.0, left_s(context)))
        if record is None:
            self._tell("info", "job-skipped", call.id, "has ended, or is not kept any more")
            return
        response = self._answer(call, context)
        passing = response.status >= 500 or response.status == BUSY
        if passing and record.attempts < ATTEMPTS:
            self._again(record, response)
            return
        level = "error" if response.status >= 500 else "info"
        if self._queue.finish(record, response):
            self._tell(level, "job-finished", call.id, f"answered with {response.status}", record.attempts)
        else:
            self._tell("info", "job-dropped", call.id, "was cancelled or lost before it ended")

    def _answer(self, call: JobCall, context: LambdaContext) -> Response:
        try:
            body = self._queue.body(call)
            if left_s(context) <= 0:
                raise DeadlineExceeded("The call had no time left for the job.")
            return self._invoke(call.request(body, left_s(context)))
        except RequestError as error:
            return problem_response(error, request_id=call.id)

    def _again(self, record: Record, response: Response) -> None:
        said = response.body.decode(errors="replace")
        if not self._queue.put_back(record):
            self._tell("info", "job-dropped", record.id, "was cancelled or lost before it ended")
            return
        self._tell("warning", "job-failed", record.id, f"failed: {said}", record.attempts)
        raise AttemptFailed(f"Attempt {record.attempts} of {ATTEMPTS} at job {record.id} failed: {said}")

    def _tell(self, level: str, event: str, job_id: str, what: str, attempt: int | None = None) -> None:
        told = {} if attempt is None else {"attempt": attempt}
        self._log(
            {"level": level, "event": event, "message": f"job {job_id}: {what}", "job_id": job_id, **told}
        )
