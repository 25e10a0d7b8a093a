"""From headers and a body to a Request, within limits; the same for every server and platform. Pure."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import urandom
from types import MappingProxyType

from preheat.errors import BadInput, BodyTooLarge, UnsupportedMedia
from preheat.interface.manifest import Limits
from preheat.interface.message import TIMEOUT_HEADER, Request

ROUTES = ("/invocations", "/predict")
"""The paths of one inference, now."""
WEBHOOK_HEADER = "x-preheat-webhook"
TTL_HEADER = "x-preheat-ttl-s"
SHORTEST_S = 0.001
"""The shortest time that a header may ask for."""

_OURS = frozenset({TIMEOUT_HEADER, WEBHOOK_HEADER, TTL_HEADER})
INFERENCE_ID = "x-amzn-sagemaker-inference-id"
"""What SageMaker calls a request; it is the request's id where that has no other."""
_FORWARDED = frozenset({"traceparent", "tracestate", "x-amzn-sagemaker-custom-attributes", INFERENCE_ID})
_FIRST = ("x-", "trace")
"""How the names of forwarded headers begin: enough to tell that a usual header is none."""
_NUMBER = re.compile(r"\+?[0-9]*\.?[0-9]*([eE][+-]?[0-9]+)?")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._~:+/=@-]{1,128}")


@dataclass(frozen=True, slots=True)
class Incoming:
    """What the boundary knows of a request: its id, and its headers by lower-case name."""

    id: str
    headers: Mapping[str, str]

    @classmethod
    def read(cls, raw: Sequence[tuple[bytes, bytes]], otherwise: str | None = None) -> "Incoming":
        """Return the headers as text, repeated ones joined by a comma (RFC 9110 section 5.3).

        ASGI gives names in lower case. The caller's x-request-id is kept when it is 1 to 128
        unreserved characters, or SageMaker's inference id; else it is `otherwise` or a new one.
        """
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
        if len(headers) != len(raw):
            headers = _joined(raw)
        return cls.of(headers, otherwise)

    @classmethod
    def of(cls, headers: Mapping[str, str], otherwise: str | None = None) -> "Incoming":
        """Return `headers` under the id they bring, else under `otherwise` or a new one."""
        given = headers.get("x-request-id") or headers.get(INFERENCE_ID)
        if given and _REQUEST_ID.fullmatch(given):
            return cls(given, headers)
        # Not uuid4: it is three times as slow, and says no more.
        return cls(otherwise or urandom(16).hex(), headers)


def _joined(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def check_whole(headers: Mapping[str, str], body: bytes, limit: int) -> None:
    """Raise UnsupportedMedia or BodyTooLarge for a body that is here but will not be read."""
    _check_encoding(headers)
    if len(body) > limit:
        raise too_large(limit)


def _check_encoding(headers: Mapping[str, str]) -> None:
    encoding = headers.get("content-encoding")
    if encoding is not None and encoding.strip().lower() not in ("", "identity"):
        raise UnsupportedMedia(f"The body has content-encoding {encoding!r}. Send it uncompressed.")


def check_announced(headers: Mapping[str, str], limit: int) -> None:
    """Raise for a body that will not be read: its encoding, or the length that the headers give."""
    _check_encoding(headers)
    announced = headers.get("content-length")
    if announced is None:
        return
    if not (announced.isascii() and announced.isdigit()):
        raise BadInput(f"content-length is {announced!r}, which is not a number of bytes.")
    # A number too long for int() is too large whatever its digits are.
    if len(announced.lstrip("0")) > 18 or int(announced) > limit:
        raise too_large(limit)


def too_large(limit: int) -> BodyTooLarge:
    """Return the error of a body above `limit`."""
    return BodyTooLarge(f"The body exceeds the limit of {limit} bytes.")


def inference(found: Incoming, body: bytes, limits: Limits) -> Request:
    """Return the request for the engine; it gets the headers of tracing, of SageMaker, and x-preheat-."""
    headers = found.headers
    forwarded = {name: headers[name] for name in headers if name.startswith(_FIRST) and _forwarded(name)}
    wanted_s = seconds(headers, TIMEOUT_HEADER)
    return Request(
        body=body,
        content_type=headers.get("content-type", ""),
        accept=headers.get("accept", "*/*"),
        id=found.id,
        timeout_s=limits.timeout_s if wanted_s is None else min(wanted_s, limits.timeout_s),
        headers=MappingProxyType(forwarded),
    )


def _forwarded(name: str) -> bool:
    return name in _FORWARDED or (name.startswith("x-preheat-") and name not in _OURS)


def seconds(headers: Mapping[str, str], name: str) -> float | None:
    """Return the header `name` as a number of seconds, or None without it. Raises BadInput."""
    text = headers.get(name)
    if text is None:
        return None
    try:
        value = float(text) if _NUMBER.fullmatch(text) else math.nan
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= SHORTEST_S):
        raise BadInput(f"{name} is {text!r}. Send a number of seconds from {SHORTEST_S}, such as 30.")
    return value
