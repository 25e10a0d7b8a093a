"""HTTP as events of Function URLs, API Gateway (v1 and v2) and load balancers, and their answers. Pure.

What is read and written is exactly what Mangum reads and writes for the same event; a test compares them.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from preheat.errors import HandlerFailed
from preheat.interface.message import JSON_TYPE, Response
from preheat.interface.problem import problem_response
from preheat.runtime.answers import FRAMING, HARDENED, told

Event = Mapping[str, Any]
Answer = dict[str, Any]

TEXT_TYPES = (
    JSON_TYPE,
    "text/",
    "application/problem+json",
    "application/x-ndjson",
    "application/javascript",
    "application/xml",
)
"""Bodies of these types travel as text, all others in base64."""
LONGEST_ANSWER = 6 * 1024 * 1024 + 100
"""What Lambda takes of a function, in bytes of JSON; found with its own emulator."""
_SURELY_FITS = LONGEST_ANSWER // 8
"""No text of so many bytes grows beyond the limit as JSON, where one byte becomes six at most."""

_HARDENED = dict(HARDENED)


def is_http(event: Event) -> bool:
    """Say whether `event` is a request over HTTP."""
    context = event.get("requestContext")
    return isinstance(context, Mapping) and ("http" in context or "httpMethod" in event)


def target_of(event: Event) -> tuple[str, str]:
    """Return the method and the path, as it was sent."""
    http = event["requestContext"].get("http")
    return (event["httpMethod"], event["path"]) if http is None else (http["method"], http["path"])


def headers_of(event: Event) -> Mapping[str, str]:
    """Return the headers by lower-case name, repeated ones joined; their bytes are read as ASGI's are."""
    headers: Mapping[str, str] = event.get("headers") or {}
    if "http" not in event["requestContext"]:  # version 2 has names in lower case, and joins repeated ones
        headers = {name.lower(): value for name, value in headers.items()} | {
            name.lower(): ", ".join(values) for name, values in (event.get("multiValueHeaders") or {}).items()
        }
    if "".join(headers.values()).isascii():
        return headers
    return {name: value.encode().decode("latin-1") for name, value in headers.items()}


def body_of(event: Event) -> bytes:
    """Return the body."""
    body = event.get("body")
    if not body:
        return b""
    return b64decode(body) if event.get("isBase64Encoded") else str(body).encode()


def answer_to(event: Event, response: Response, request_id: str) -> Answer:
    """Return `response`, which is no stream, as the answer to `event`.

    Raises ValueError for a header that would end early: what a handler calls its file may come from a caller.
    """
    kind = response.content_type
    if not kind.isprintable() or not kind.isascii():
        raise ValueError(f"the content type {kind!r} cannot stand in a header")
    headers = {lower: value for name, value in told(response) if (lower := name.lower()) not in FRAMING}
    headers |= _HARDENED
    headers["content-type"] = kind
    headers["content-length"] = str(len(response.body))
    headers["x-request-id"] = request_id
    return fitting(event, _shaped(event, response.status, headers, *_written(response.body, kind)))


def _written(body: bytes, kind: str) -> tuple[str, bool]:
    """Return the body as a string, and whether that is base64."""
    if _is_text(kind):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return (b64encode(body).decode(), True) if body else ("", False)


@lru_cache(maxsize=64)
def _is_text(kind: str) -> bool:
    return any(text in kind for text in TEXT_TYPES)


def _shaped(event: Event, status: int, headers: dict[str, str], body: str, base64: bool) -> Answer:
    answer: Answer = {"statusCode": status, "body": body, "isBase64Encoded": base64}
    context = event["requestContext"]
    if "elb" in context and "multiValueHeaders" in event:
        answer["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
        return answer
    answer["headers"] = headers
    if "elb" not in context and event.get("version") != "2.0":
        answer["multiValueHeaders"] = {}
    return answer


def fitting(event: Event, answer: Answer) -> Answer:
    """Return `answer`, or what tells the caller that it is too large for Lambda."""
    if len(answer["body"]) <= _SURELY_FITS or (size := len(json.dumps(answer))) <= LONGEST_ANSWER:
        return answer
    if not answer["isBase64Encoded"]:  # which quotes and line breaks do not make longer
        packed = answer | {"body": b64encode(answer["body"].encode()).decode(), "isBase64Encoded": True}
        if len(json.dumps(packed)) <= LONGEST_ANSWER:
            return packed
    error = HandlerFailed(
        f"The answer takes {size} bytes, and Lambda hands on {LONGEST_ANSWER} at most (6 MB). "
        "Ask for less at once, or put the input into a bucket whose uploads run the function."
    )
    request_id = answer["headers"]["x-request-id"] if "headers" in answer else _only(answer, "x-request-id")
    return answer_to(event, problem_response(error, request_id=request_id), request_id)


def _only(answer: Answer, name: str) -> str:
    (value,) = answer["multiValueHeaders"][name]
    return str(value)
