"""A Function URL's event as a request, and answers to it. Ships; pure.

The event is version 2.0 of the payload format:
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

import base64
import hashlib
import hmac
import http
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

JSON_TYPE, PROBLEM_TYPE, OCTETS = "application/json", "application/problem+json", "application/octet-stream"
REQUEST_BYTES = 6 << 20
"""What a Function URL takes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

TIMEOUT_HEADER = "x-preheat-timeout-s"
ATTRIBUTES_HEADER = "x-amzn-sagemaker-custom-attributes"
ATTRIBUTES_CHARACTERS = 1024
_REQUEST_ID = re.compile(r"[A-Za-z0-9._~:+/=@-]{1,128}")

Event = Mapping[str, Any]
Reply = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One HTTP request; names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    id: str


class Refused(Exception):
    """A request that ends in a problem document of `status`."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def read_event(event: Event) -> Asked:
    """Return the request that `event` stands for."""
    sent = event["requestContext"]["http"]
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    text = event.get("body") or ""
    body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    given = headers.get("x-request-id", "")
    identity = given if _REQUEST_ID.fullmatch(given) else event["requestContext"]["requestId"]
    path = event["rawPath"].rstrip("/") or "/"
    return Asked(method=sent["method"], path=path, headers=headers, body=body, id=identity)


def reply(status: int, body: bytes = b"", content_type: str = JSON_TYPE, **headers: str) -> Reply:
    """Return an answer as Lambda hands it on; what is no text travels as base64."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named = {"content-type": content_type, "content-security-policy": "sandbox", **named}
    answer: Reply = {"statusCode": status, "headers": named}
    try:
        return {**answer, "body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {**answer, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def problem(status: int, detail: str, request_id: str) -> dict[str, Any]:
    """Return the problem document (RFC 9457) of a failure."""
    return {
        "type": "about:blank",
        "title": http.HTTPStatus(status).phrase if status in set(http.HTTPStatus) else "Error",
        "status": status,
        "detail": detail,
        "instance": f"urn:preheat:request:{request_id}",
    }


def answered(event: Event, route: Callable[[Asked], Reply]) -> Reply:
    """Return what `route` makes of `event`; what it refuses is a problem document."""
    asked = read_event(event)
    try:
        answer = route(asked)
    except Refused as refused:
        body = json.dumps(problem(refused.status, refused.detail, asked.id)).encode()
        answer = reply(refused.status, body, PROBLEM_TYPE, **refused.headers)
    answer["headers"]["x-request-id"] = asked.id
    return answer


def check_token(asked: Asked, sha256: str | None) -> None:
    """Raise Refused unless the request carries the token with this SHA-256 (hex); None asks for none."""
    if sha256 is None:
        return
    scheme, _, token = asked.headers.get("authorization", "").partition(" ")
    found = hashlib.sha256(token.strip().encode()).hexdigest()
    if not (hmac.compare_digest(found, sha256) and scheme.lower() == "bearer"):
        raise Refused(401, "The token is missing or wrong.", www_authenticate="Bearer")


def check_body(asked: Asked, *, most: int = REQUEST_BYTES) -> None:
    """Raise Refused for a body that cannot be passed on, such as one of more than `most` bytes."""
    if len(asked.body) > most:
        raise Refused(413, f"The body has {len(asked.body):,} bytes; this endpoint takes {most:,}.")
    encoding = asked.headers.get("content-encoding", "identity")
    if encoding.strip().lower() not in ("", "identity"):
        raise Refused(415, f"The body has content-encoding {encoding!r}. Send it uncompressed.")
    for name in ("content-type", "accept", ATTRIBUTES_HEADER):
        if not asked.headers.get(name, "").isascii():
            raise Refused(400, f"{name} is not ASCII.")
    if len(asked.headers.get(ATTRIBUTES_HEADER, "")) > ATTRIBUTES_CHARACTERS:
        raise Refused(400, f"{ATTRIBUTES_HEADER} has more than {ATTRIBUTES_CHARACTERS} characters.")


def seconds(asked: Asked, name: str, most: float) -> float | None:
    """Return a header as a number of seconds, `most` at the most, None without it. Raises Refused."""
    text = asked.headers.get(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise Refused(400, f"{name} is {text!r}. Send a number of seconds, such as 30.")
    return min(value, most)
