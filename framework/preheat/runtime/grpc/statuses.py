"""A failed request as gRPC tells it: the code for an HTTP status, and the metadata for its headers."""

from collections.abc import Mapping

import grpc

CODES: Mapping[int, grpc.StatusCode] = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    415: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    501: grpc.StatusCode.UNIMPLEMENTED,
    502: grpc.StatusCode.UNAVAILABLE,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""The code of every status that an inference can end with (https://grpc.io/docs/guides/status-codes/)."""

LONGEST_DETAILS = 2000
"""Characters of an error's text: it travels among the trailers, which clients bound to 8 KiB by default."""

_TOLD = ("retry-after",)
_OURS = "x-preheat-"


def code_of(status: int) -> grpc.StatusCode:
    """Return the code of an HTTP status from 400."""
    return CODES.get(status, grpc.StatusCode.INTERNAL if status >= 500 else grpc.StatusCode.INVALID_ARGUMENT)


def details_of(text: str) -> str:
    """Return the error's text, cut where it is long."""
    return text if len(text) <= LONGEST_DETAILS else f"{text[:LONGEST_DETAILS]}..."


def trailers(request_id: str, headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the metadata of an answer: the request's id, and of its headers those that callers read."""
    told = [(name, value) for name, value in headers.items() if name in _TOLD or name.startswith(_OURS)]
    return [("x-request-id", request_id), *told]
