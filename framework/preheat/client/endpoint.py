"""Every conversation with an endpoint, without doing any of it: generators that yield what to send."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from preheat.client.decoding import LINES_TYPE, accept_for, decode_answer, typed
from preheat.client.encoding import encode_input
from preheat.client.exchange import Answer, Call, Pause, Repeat, Send, Steps
from preheat.client.problems import error_of, problem_error
from preheat.client.retrying import Retries, retry_after_s
from preheat.errors import Conflicting, DeadlineExceeded, NotOffered
from preheat.interface.message import TIMEOUT_HEADER

POLL_FIRST_S = 0.05
POLL_LONGEST_S = 5.0


@dataclass(slots=True, kw_only=True)
class Endpoint:
    """How to talk to one endpoint. `clock` is monotonic, `jitter` gives 0 to 1, `new_key` a fresh key."""

    timeout_s: float
    retries: Retries
    clock: Callable[[], float]
    jitter: Callable[[], float]
    new_key: Callable[[], str]
    _contract: Mapping[str, Any] | None = field(default=None, init=False)

    def contract(self, deadline: float) -> Steps[Mapping[str, Any]]:
        """Read /schema, the first time only."""
        if self._contract is None:
            answer = yield from self._ask(Call(method="GET", path="/schema"), deadline)
            self._contract = decode_answer(answer, dict[str, Any])
        return self._contract

    def predict(self, value: Any, into: Any, timeout_s: float | None) -> Steps[Any]:
        """Make one inference."""
        deadline = self._deadline(timeout_s)
        call = yield from self._inference("/invocations", value, accept_for(into), deadline)
        return decode_answer((yield from self._ask(call, deadline)), into)

    def open_stream(self, value: Any, timeout_s: float | None) -> Steps[Answer]:
        """Begin an inference whose answer, once it is good, is left for the caller to read."""
        deadline = self._deadline(timeout_s)
        contract = yield from self.contract(deadline)
        if not contract["stream"]:
            raise NotOffered(f"{contract['title']} answers once and does not stream: use predict.")
        call = yield from self._inference("/invocations", value, LINES_TYPE, deadline, streamed=True)
        return (yield from self._ask(call, deadline))

    def submit(self, value: Any, headers: Mapping[str, str | None], timeout_s: float | None) -> Steps[str]:
        """Record a job and return its id. Its idempotency key makes repeating it safe."""
        deadline = self._deadline(timeout_s)
        given = {name: text for name, text in headers.items() if text is not None}
        key = {"idempotency-key": self.new_key()}
        contract = yield from self.contract(deadline)
        content_type, body = encode_input(value, contract["input_media"])
        call = Call(
            method="POST", path="/jobs", headers={"content-type": content_type} | key | given, body=body
        )
        answer = yield from self._ask(call, deadline)
        return str(decode_answer(answer, dict[str, Any])["id"])

    def job(self, job_id: str, method: str = "GET") -> Steps[Mapping[str, Any]]:
        """Read the job's document, or with DELETE cancel the job."""
        call = Call(method=method, path=f"/jobs/{job_id}")
        answer = yield from self._ask(call, self._deadline(None))
        document: Mapping[str, Any] = decode_answer(answer, dict[str, Any])
        return document

    def result(self, job_id: str, into: Any, timeout_s: float | None) -> Steps[Any]:
        """Wait until the job has ended and return its answer.

        Raises the job's own problem, Conflicting when it was cancelled, and DeadlineExceeded when it
        has not ended in time; it goes on then.
        """
        deadline = self._deadline(timeout_s)
        wait_s = POLL_FIRST_S
        while True:
            answer = yield from self._ask(Call(method="GET", path=f"/jobs/{job_id}"), deadline)
            document = decode_answer(answer, dict[str, Any])
            if document["status"] not in ("queued", "running"):
                return (yield from self._ended(document, into, deadline))
            told = retry_after_s(answer.headers)
            pause_s = wait_s * (0.5 + 0.5 * self.jitter()) if told is None else max(told, wait_s)
            left_s = deadline - self.clock()
            if left_s <= 0:
                raise DeadlineExceeded(f"Job {job_id} is still {document['status']}. It goes on.")
            yield Pause(min(pause_s, left_s))
            wait_s = min(POLL_LONGEST_S, wait_s * 1.5)

    def _ended(self, document: Mapping[str, Any], into: Any, deadline: float) -> Steps[Any]:
        if "error" in document:
            raise problem_error(document["error"], status=int(document["error"]["status"]))
        if "result" in document:
            return typed(document["result"], into)
        if "result_url" not in document:
            raise Conflicting(f"Job {document['id']} was {document['status']} and has no result.")
        # Not the URL as given: the token goes to this endpoint only.
        call = Call(method="GET", path=f"/jobs/{document['id']}/result", repeat=Repeat.UNANSWERED)
        return decode_answer((yield from self._ask(call, deadline)), into)

    def _inference(
        self, path: str, value: Any, accept: str, deadline: float, *, streamed: bool = False
    ) -> Steps[Call]:
        contract = yield from self.contract(deadline)
        content_type, body = encode_input(value, contract["input_media"])
        left_s = max(0.001, deadline - self.clock())
        headers = {"content-type": content_type, "accept": accept}
        if math.isfinite(left_s):
            headers[TIMEOUT_HEADER] = f"{left_s:.3f}"
        return Call(
            method="POST",
            path=path,
            headers=headers,
            body=body,
            repeat=Repeat.UNANSWERED,
            streamed=streamed,
        )

    def _ask(self, call: Call, deadline: float) -> Steps[Answer]:
        done = 0
        while True:
            outcome = yield Send(call, deadline)
            assert outcome is not None
            if isinstance(outcome, Answer) and 200 <= outcome.status < 300:
                return outcome
            delay_s = self.retries.delay_s(outcome, call.repeat, done, self.jitter())
            if delay_s is None or self.clock() + delay_s >= deadline:
                raise error_of(outcome)
            yield Pause(delay_s)
            done += 1

    def _deadline(self, timeout_s: float | None) -> float:
        return self.clock() + (self.timeout_s if timeout_s is None else timeout_s)


def job_headers(
    idempotency_key: str | None, webhook: str | None, ttl_s: float | None
) -> Mapping[str, str | None]:
    """Return the headers that POST /jobs reads, None for those that stay out."""
    ttl = None if ttl_s is None else f"{ttl_s:g}"
    return {"idempotency-key": idempotency_key, "x-preheat-webhook": webhook, "x-preheat-ttl-s": ttl}
