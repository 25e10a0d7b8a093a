"""One piece of work: a request to the model that nobody waits for, done once and within the time left."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from preheat.errors import DeadlineExceeded, PreheatError
from preheat.interface.message import Request, Response
from preheat.runtime.objects.storage import Superseded
from preheat_providers.aws_lambda.shipped.context import LambdaContext, left_s
from preheat_providers.aws_lambda.shipped.events.once import Once, Outcome
from preheat_providers.aws_lambda.shipped.events.report import Report


class Refused(PreheatError):
    """The model answered with a problem; `status` is its."""

    def __init__(self, response: Response) -> None:
        super().__init__(str(json.loads(response.body)["detail"]))
        self.status = response.status


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What is to be done. Equal `identity` is the same work; `make` gives the request, `keep` the answer.

    `keep` returns what is remembered and logged of the answer.
    """

    what: str
    identity: Mapping[str, str]
    make: Callable[[], Request]
    keep: Callable[[Response], Outcome]
    refusals: bool = False
    """Whether an answer of 4xx is kept like any other, because no repetition would change it."""


class Worker:
    """Does work for one function."""

    def __init__(self, invoke: Callable[[Request], Response], once: Once, report: Report) -> None:
        self._invoke = invoke
        self._once = once
        self._report = report

    def do(self, piece: Piece, context: LambdaContext) -> None:
        """Do `piece` unless it was done before. Raises what prevents it, after telling of it."""
        model_ms = 0.0

        def work() -> Outcome:
            nonlocal model_ms
            response = self._answer(piece.make(), context)
            model_ms = response.model_ms
            if response.status >= (500 if piece.refusals else 400):
                raise Refused(response)
            return piece.keep(response)

        try:
            if left_s(context) <= 0:
                raise DeadlineExceeded("This call has no time left for it; it comes again in another.")
            outcome, new = self._once.do(piece.identity, work, context)
        except Superseded as error:
            self._report.skipped(piece.what, error.message)
            return
        except Exception as error:
            self._report.failed(piece.what, error)
            raise
        if new:
            self._report.done(piece.what, outcome, model_ms)
        else:
            self._report.again(piece.what)

    def _answer(self, request: Request, context: LambdaContext) -> Response:
        return self._invoke(replace(request, timeout_s=max(0.0, left_s(context))))
