"""RFC 9457 problem documents: the one shape of every error over HTTP."""

import json
import math

from preheat.errors import MethodNotAllowed, RequestError
from preheat.interface.message import PROBLEM_TYPE, Response


def problem_document(error: RequestError, *, request_id: str | None = None) -> dict[str, object]:
    """Return the document of `error` (RFC 9457 section 3.1); its hint stays out of it."""
    document: dict[str, object] = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "detail": error.message,
    }
    if request_id is not None:
        document["instance"] = f"urn:preheat:request:{request_id}"
    if error.errors:
        document["errors"] = [{"pointer": pointer, "detail": detail} for pointer, detail in error.errors]
    return document


def problem_headers(error: RequestError) -> dict[str, str]:
    """Return the headers that belong to `error` (RFC 9110); Retry-After is in whole seconds, rounded up."""
    headers = {}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_s)))
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        headers["allow"] = ", ".join(error.allow)
    return headers


def problem_response(error: RequestError, *, request_id: str | None = None) -> Response:
    """Return `error` as the answer to a request."""
    text = json.dumps(problem_document(error, request_id=request_id), ensure_ascii=False)
    # A message may quote half of a surrogate pair from the caller's JSON; its \uXXXX form is JSON again.
    body = text.encode(errors="backslashreplace")
    return Response(status=error.status, content_type=PROBLEM_TYPE, body=body, headers=problem_headers(error))
