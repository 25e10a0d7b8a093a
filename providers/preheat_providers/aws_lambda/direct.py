"""Direct calls: the event is the handler's input as JSON, and what comes back is its answer. Ships."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from preheat.errors import PreheatError
from preheat.interface.message import JSON_TYPE, Request, Response
from preheat_providers.aws_lambda.context import LambdaContext, left_s


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
