"""Requests through the Lambda API, which IAM guards: no token is needed. Runs the function."""

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from preheat.errors import BodyTooLarge, DeadlineExceeded, HandlerFailed, Overloaded, RequestError, WorkerDied
from preheat.interface.message import TIMEOUT_HEADER, Request, Response
from preheat.interface.problem import problem_response
from preheat_providers._aws.errors import translated
from preheat_providers.aws_lambda.limits import REQUEST_BYTES, TIMEOUT_S
from preheat_providers.aws_lambda.shipped.shapes import REQUEST
from preheat_providers.aws_lambda.template.names import ALIAS

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ANSWER_S = TIMEOUT_S[1] + 15.0
"""How long an answer may take: the longest that a function runs, and its way."""


class Missing(Exception):
    """There is no such function, or none that was ever deployed."""


def ask(client: "LambdaClient", function: str, request: Request) -> Response:
    """Send `request` and return the answer; a failure of the function is a problem document.

    Raises Missing, and ProviderError for what AWS refuses.
    """
    payload = request_event(request)
    if len(payload) > REQUEST_BYTES:
        return _problem(_too_large(request, payload), request)
    with translated(f"{function} cannot be called"):
        try:
            answer = client.invoke(FunctionName=function, Qualifier=ALIAS, Payload=payload)
        except client.exceptions.ResourceNotFoundException as error:
            raise Missing from error
        except client.exceptions.TooManyRequestsException as error:
            reason = error.response.get("Reason") or error.response["Error"].get("Message", "")
            held_back = f"Lambda holds calls of {function} back: {reason}"
            return _problem(Overloaded(held_back, retry_after_s=1.0), request)
        with answer["Payload"] as stream:
            body = stream.read()
    if answer.get("FunctionError"):
        return _problem(failure(json.loads(body)), request)
    return answer_of(json.loads(body))


def request_event(request: Request) -> bytes:
    """Return the event that stands for `request`."""
    headers = {**request.headers, "x-request-id": request.id}
    if request.timeout_s is not None:
        headers[TIMEOUT_HEADER] = f"{request.timeout_s:g}"
    asked = {
        "body_base64": b64encode(request.body).decode(),
        "content_type": request.content_type,
        "accept": request.accept,
        "headers": headers,
    }
    return json.dumps({REQUEST: asked}).encode()


def answer_of(document: dict[str, Any]) -> Response:
    """Return the answer that a function gave to such an event."""
    return Response(
        status=document["status"],
        content_type=document["content_type"],
        headers=document["headers"],
        body=b64decode(document["body_base64"]),
    )


def failure(document: dict[str, Any]) -> RequestError:
    """Return what it means that Lambda, and not the function, ended a call.

    The shapes are those of https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html and of
    Lambda's interface emulator.
    """
    kind, message = str(document.get("errorType", "")), str(document.get("errorMessage", ""))
    if "Task timed out" in message or kind == "Sandbox.Timedout":
        return DeadlineExceeded(f"The function was ended when its time was up: {message}")
    if kind == "Function.ResponseSizeTooLarge":
        return HandlerFailed(f"The answer is beyond the 6 MB that Lambda hands on: {message}")
    return WorkerDied(f"The function ended while it answered: {': '.join(filter(None, (kind, message)))}")


def _too_large(request: Request, payload: bytes) -> BodyTooLarge:
    return BodyTooLarge(
        f"The body has {len(request.body):,} bytes. With base64 that makes an event of {len(payload):,}, and "
        f"Lambda takes {REQUEST_BYTES:,}. Put larger inputs into a bucket whose uploads run the function."
    )


def _problem(error: RequestError, request: Request) -> Response:
    return problem_response(error, request_id=request.id)
