"""Direct calls: an event that is the handler's input or a whole request, and what comes back. Ships."""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any

from preheat.errors import BadInput, HandlerFailed, PreheatError, RequestError
from preheat.interface.manifest import Limits
from preheat.interface.message import JSON_TYPE, Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.answers import told
from preheat.runtime.requests import Incoming, check_whole, inference
from preheat_providers.aws_lambda.shipped.context import LambdaContext, left_s
from preheat_providers.aws_lambda.shipped.web.invocations import within
from preheat_providers.aws_lambda.shipped.web.proxy import LONGEST_ANSWER

SHAPE = '{"body_base64": ..., "content_type": ..., "accept": ..., "headers": {...}}; only the first is needed'
ROOM = 64 * 1024
"""For what stands around the body in an answer, in bytes."""


class RequestFailed(PreheatError):
    """The call was answered with a problem; the message is that document (RFC 9457) as JSON."""


def call(event: Any, context: LambdaContext, invoke: Callable[[Request], Response]) -> Any:
    """Return the answer to `event`; one that is no JSON as `{"content_type", "body_base64"}`.

    Raises RequestFailed, so that Lambda marks the call as failed, and tries an asynchronous one again.
    """
    response = invoke(
        Request(
            id=context.aws_request_id,
            body=json.dumps(event, ensure_ascii=False).encode(),
            timeout_s=max(0.0, left_s(context)),
        )
    )
    if response.status >= 400:
        raise RequestFailed(response.body.decode())
    if response.content_type == JSON_TYPE:
        return json.loads(response.body)
    return {"content_type": response.content_type, "body_base64": b64encode(response.body).decode()}


def request(
    asked: Any, context: LambdaContext, invoke: Callable[[Request], Response], limits: Limits
) -> dict[str, Any]:
    """Return the answer to `asked`, of the shape `SHAPE`, whatever it is: a problem is one too."""
    found = Incoming(context.aws_request_id, {})
    try:
        found, body = _incoming(asked, context.aws_request_id)
        check_whole(found.headers, body, limits.body_bytes)
        response = _fitting(invoke(inference(found, body, within(limits, left_s(context)))))
    except RequestError as error:
        response = problem_response(error, request_id=found.id)
    return {
        "status": response.status,
        "content_type": response.content_type,
        "headers": {name.lower(): value for name, value in told(response)} | {"x-request-id": found.id},
        "body_base64": b64encode(response.body).decode(),
    }


def _incoming(asked: Any, request_id: str) -> tuple[Incoming, bytes]:
    try:
        headers: Mapping[str, str] = asked.get("headers") or {}
        lower = {str(name).lower(): str(value) for name, value in headers.items()}
        lower["content-type"] = str(asked.get("content_type", JSON_TYPE))
        lower["accept"] = str(asked.get("accept", "*/*"))
        body = b64decode(asked["body_base64"], validate=True)
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise BadInput(f"This is no request: {error!r}. It has the shape {SHAPE}.") from error
    return Incoming.of(lower, request_id), body


def _fitting(response: Response) -> Response:
    size = len(response.body)
    if size * 4 // 3 + ROOM > LONGEST_ANSWER:
        raise HandlerFailed(
            f"The answer has {size} bytes; in base64 it is beyond the 6 MB that Lambda hands on. "
            "Ask for less at once, or put the input into a bucket whose uploads run the function."
        )
    return response
