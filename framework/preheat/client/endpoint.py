"""Every conversation with an endpoint, without doing any of it: generators that yield what to send."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from preheat.client.contract import Contract
from preheat.client.decoding import LINES_TYPE, Lines, Returns
from preheat.client.encoding import encode_input
from preheat.client.exchange import Answer, Call, Pause, Repeat, Send, Steps
from preheat.client.problems import error_of, problem_error
from preheat.client.retrying import Retries, retry_after_s
from preheat.client.uploads import Upload
from preheat.errors import BadInput, Conflicting, DeadlineExceeded, NotOffered
from preheat.interface.message import TIMEOUT_HEADER

POLL_FIRST_S = 0.05
POLL_LONGEST_S = 5.0
LAST_LOOK_S = 0.25
"""How long before its deadline a wait for a job's result looks for the last time."""

SEE_OTHER = 303
"""A result that is too large for the platform to hand on lies elsewhere."""

_DOCUMENT = Returns(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Opened:
    """A stream that has begun: the transport's handle of it, what reads its lines, and when it must end."""

    live: object
    lines: Lines
    deadline: float


@dataclass(slots=True, kw_only=True)
class Endpoint:
    """How to talk to one endpoint. `clock` is monotonic, `jitter` gives 0 to 1, `new_key` a fresh key.

    With `arrays` (NumPy is there) a tensor comes back as an array.
    """

    timeout_s: float
    retries: Retries
    arrays: bool
    clock: Callable[[], float]
    jitter: Callable[[], float]
    new_key: Callable[[], str]
    _contract: Contract | None = field(default=None, init=False)

    def schema(self) -> Steps[Mapping[str, Any]]:
        """Read the contract document as it is now."""
        return (yield from self._read_contract(self._deadline(None))).document

    def predict(self, value: Any, into: Any, idempotent: bool, timeout_s: float | None) -> Steps[Any]:
        """Make one inference."""
        deadline = self._deadline(timeout_s)
        contract, content_type, body = yield from self._encoded(value, deadline, self.new_key())
        returns = Returns.of(into, contract, arrays=self.arrays)
        call = Call(
            method="POST",
            path="/invocations",
            headers=self._inference_headers(content_type, returns.accept, deadline),
            body=body,
            repeat=Repeat.SAFE if idempotent else Repeat.REFUSED,
        )
        return returns.decode((yield from self._ask(call, deadline)))

    def open_stream(self, value: Any, into: Any, idempotent: bool, timeout_s: float | None) -> Steps[Opened]:
        """Begin an inference whose answer, once it is good, is left for the caller to read."""
        deadline = self._deadline(timeout_s)
        contract, content_type, body = yield from self._encoded(value, deadline, self.new_key())
        if not contract.streams:
            raise NotOffered(f"{contract.title} answers once and does not stream: use predict.")
        call = Call(
            method="POST",
            path="/invocations",
            headers=self._inference_headers(content_type, LINES_TYPE, deadline),
            body=body,
            repeat=Repeat.SAFE if idempotent else Repeat.REFUSED,
            streamed=True,
        )
        answer = yield from self._ask(call, deadline)
        return Opened(answer.live, Lines(Returns.of(into, contract, arrays=self.arrays)), deadline)

    def submit(self, value: Any, headers: Mapping[str, str | None]) -> Steps[str]:
        """Record a job and return its id. Its idempotency key makes repeating it safe."""
        deadline = self._deadline(None)
        given = {name: text for name, text in headers.items() if text is not None}
        key = {"idempotency-key": self.new_key()}
        _, content_type, body = yield from self._encoded(value, deadline, None)
        call = Call(
            method="POST", path="/jobs", headers={"content-type": content_type} | key | given, body=body
        )
        return str(_DOCUMENT.decode((yield from self._ask(call, deadline)))["id"])

    def job(self, job_id: str, method: str = "GET") -> Steps[Mapping[str, Any]]:
        """Read the job's document, or with DELETE cancel the job."""
        call = Call(method=method, path=f"/jobs/{job_id}")
        answer = yield from self._ask(call, self._deadline(None))
        document: Mapping[str, Any] = _DOCUMENT.decode(answer)
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
            document = _DOCUMENT.decode(answer)
            if document["status"] not in ("queued", "running"):
                return (yield from self._ended(document, into, deadline))
            told = retry_after_s(answer.headers)
            pause_s = wait_s * (0.5 + 0.5 * self.jitter()) if told is None else max(told, wait_s)
            left_s = deadline - self.clock() - LAST_LOOK_S
            if left_s <= 0:
                raise DeadlineExceeded(f"Job {job_id} is still {document['status']}. It goes on.")
            yield Pause(min(pause_s, left_s))
            wait_s = min(POLL_LONGEST_S, wait_s * 1.5)

    def _ended(self, document: Mapping[str, Any], into: Any, deadline: float) -> Steps[Any]:
        if "error" in document:
            raise problem_error(document["error"], status=int(document["error"]["status"]))
        if "result" not in document and "result_url" not in document:
            raise Conflicting(f"Job {document['id']} was {document['status']} and has no result.")
        contract = yield from self._known_contract(deadline)
        returns = Returns.of(into, contract, arrays=self.arrays)
        if "result" in document:
            return returns.typed(document["result"])
        # Not the URL as given: the token goes to this endpoint only.
        call = Call(method="GET", path=f"/jobs/{document['id']}/result")
        answer = yield from self._ask(call, deadline, also=SEE_OTHER)
        if answer.status == SEE_OTHER:
            there = Call(method="GET", path=answer.headers.get("location", ""), elsewhere=True)
            answer = yield from self._ask(there, deadline)
        return returns.decode(answer)

    def _known_contract(self, deadline: float) -> Steps[Contract]:
        if self._contract is not None:
            return self._contract
        return (yield from self._read_contract(deadline))

    def _read_contract(self, deadline: float) -> Steps[Contract]:
        answer = yield from self._ask(Call(method="GET", path="/schema"), deadline)
        self._contract = Contract(_DOCUMENT.decode(answer))
        return self._contract

    def _encoded(
        self, value: Any, deadline: float, boundary: str | None
    ) -> Steps[tuple[Contract, str, bytes | Upload]]:
        known = self._contract
        contract = yield from self._known_contract(deadline)
        try:
            return contract, *encode_input(value, contract, boundary)
        except BadInput:
            if known is None:
                raise
        # What does not fit the contract of before may fit that of a newer release.
        contract = yield from self._read_contract(deadline)
        return contract, *encode_input(value, contract, boundary)

    def _inference_headers(self, content_type: str, accept: str, deadline: float) -> Mapping[str, str]:
        left_s = max(0.001, deadline - self.clock())
        timeout = {TIMEOUT_HEADER: f"{left_s:.3f}"} if math.isfinite(left_s) else {}
        return {"content-type": content_type, "accept": accept} | timeout

    def _ask(self, call: Call, deadline: float, *, also: int | None = None) -> Steps[Answer]:
        done = 0
        while True:
            outcome = yield Send(call, deadline)
            assert outcome is not None
            if isinstance(outcome, Answer) and (200 <= outcome.status < 300 or outcome.status == also):
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
