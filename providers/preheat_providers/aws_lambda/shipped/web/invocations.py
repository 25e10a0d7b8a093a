"""POST /invocations from an event straight to the engine and back, without the web framework: the hot path.

It does for one event what the surface's Invocations and boundary do for one connection, with the same
parts, so that the answers are the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from preheat.errors import RequestError
from preheat.interface.manifest import Limits
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.failures import describe, failed_inside, user_traceback
from preheat.runtime.log import Log, log_to_stderr
from preheat.runtime.requests import ROUTES, Incoming, check_announced, check_whole, inference
from preheat_providers.aws_lambda.shipped.web.proxy import (
    Answer,
    Event,
    answer_to,
    body_of,
    headers_of,
    target_of,
)


class Invocations:
    """Answers the events that are a POST to /invocations or /predict. `invoke` collects streams."""

    def __init__(
        self,
        invoke: Callable[[Request], Response],
        *,
        limits: Limits,
        authenticate: Callable[[Mapping[str, str]], None],
        log: Log = log_to_stderr,
    ) -> None:
        self._invoke = invoke
        self._limits = limits
        self._authenticate = authenticate
        self._log = log

    def answer(self, event: Event, *, request_id: str, left_s: float) -> Answer | None:
        """Answer `event`, or return None if it is another's. `request_id` is for a request without one."""
        method, path = target_of(event)
        if method != "POST" or path not in ROUTES:
            return None
        found = Incoming.of(headers_of(event), request_id)
        try:
            return answer_to(event, self._respond(found, event, left_s), found.id)
        except Exception as error:  # noqa: BLE001 - one request: its failure may not end the function
            return answer_to(
                event, problem_response(self._told(error, found.id), request_id=found.id), found.id
            )

    def _respond(self, found: Incoming, event: Event, left_s: float) -> Response:
        self._authenticate(found.headers)
        limits = self._limits
        check_announced(found.headers, limits.body_bytes)
        body = body_of(event)
        check_whole(found.headers, body, limits.body_bytes)
        return self._invoke(inference(found, body, within(limits, left_s)))

    def _told(self, error: Exception, request_id: str) -> RequestError:
        if isinstance(error, RequestError):
            return error
        self._log(
            {
                "level": "error",
                "event": "request-failed",
                "message": describe(error),
                "request_id": request_id,
                "traceback": user_traceback(error),
            }
        )
        return failed_inside()


def within(limits: Limits, left_s: float) -> Limits:
    """Return `limits` with no more time than is left."""
    return limits if left_s >= limits.timeout_s else replace(limits, timeout_s=max(0.0, left_s))
