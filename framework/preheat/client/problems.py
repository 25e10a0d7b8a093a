"""From an answer that is an error to the error of `preheat.errors` with its status. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from preheat.client.exchange import Answer, Cause, Failed, Outcome
from preheat.client.retrying import retry_after_s
from preheat.errors import DeadlineExceeded, MethodNotAllowed, RequestError, Unavailable, WorkerDied

_BY_STATUS = {each.status: each for each in RequestError.__subclasses__()}
_BY_CAUSE = {
    Cause.CONNECT: Unavailable,
    Cause.UNTRUSTED: Unavailable,
    Cause.BROKEN: WorkerDied,
    Cause.TIMEOUT: DeadlineExceeded,
}
_HINTS = {Cause.UNTRUSTED: 'connect(url, verify="ca.pem")  # the file of the authority that signed it'}
_INSTANCE = "urn:preheat:request:"


def error_of(outcome: Outcome) -> RequestError:
    """Return the error that `outcome` stands for; a body that is no problem document is quoted."""
    if isinstance(outcome, Failed):
        said = f"{outcome.cause.value[0].upper()}{outcome.cause.value[1:]}: {outcome.detail}"
        return _BY_CAUSE[outcome.cause](said, hint=_HINTS.get(outcome.cause))
    document = _document(outcome)
    return problem_error(document, status=outcome.status, headers=outcome.headers)


def problem_error(
    document: Mapping[str, Any], *, status: int, headers: Mapping[str, str] | None = None
) -> RequestError:
    """Return the error of a problem document (RFC 9457). An unknown status is named in the message."""
    headers = headers or {}
    message = str(document.get("detail") or document.get("title") or f"The endpoint answered {status}.")
    error: RequestError
    kind = _BY_STATUS.get(status)
    if kind is None:
        error = RequestError(f"{status}: {message}")
    elif kind is MethodNotAllowed:
        error = MethodNotAllowed(message, allow=headers.get("allow", "").split(", "))
    else:
        error = kind(message)
    error.errors = tuple(_pointers(document.get("errors")))
    error.retry_after_s = retry_after_s(headers)
    instance = str(document.get("instance", ""))
    error.request_id = headers.get("x-request-id") or instance.removeprefix(_INSTANCE) or None
    return error


def _pointers(errors: Any) -> list[tuple[str, str]]:
    if not isinstance(errors, list):
        return []
    return [
        (str(each.get("pointer", "")), str(each.get("detail", "")))
        for each in errors
        if isinstance(each, dict)
    ]


def _document(answer: Answer) -> Mapping[str, Any]:
    try:
        document = json.loads(answer.body)
    except ValueError:
        document = None
    if isinstance(document, dict):
        return document
    quoted = answer.body[:200].decode(errors="replace").strip()
    return {"detail": f"The endpoint answered {answer.status}{f': {quoted}' if quoted else ''}."}
