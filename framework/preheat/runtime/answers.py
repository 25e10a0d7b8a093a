"""What a Response says in its headers, and one whose stream is collected; the same on every platform."""

from collections.abc import Iterable
from dataclasses import replace

from preheat.interface.message import BATCH_SIZE_HEADER, MODEL_MS_HEADER, QUEUE_MS_HEADER, Response

FRAMING = frozenset(
    {"connection", "content-length", "content-type", "keep-alive", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that an engine does not decide."""
HARDENED = (
    ("x-content-type-options", "nosniff"),
    # What a model returns may be HTML: it must not run as a page of this origin, which holds the token.
    ("content-security-policy", "sandbox; default-src 'none'"),
)
"""Headers of every answer of an engine."""
UNBUFFERED = (("cache-control", "no-store"), ("x-accel-buffering", "no"))
"""Headers of every stream: a proxy that collects it would undo it."""


def told(response: Response) -> Iterable[tuple[str, str]]:
    """Return the headers of `response`, and those that say how it was made."""
    if not response.batch_size or QUEUE_MS_HEADER in response.headers:
        return response.headers.items()
    return (
        *response.headers.items(),
        (QUEUE_MS_HEADER, f"{response.queue_ms:.3f}"),
        (MODEL_MS_HEADER, f"{response.model_ms:.3f}"),
        (BATCH_SIZE_HEADER, str(response.batch_size)),
    )


async def collected(response: Response) -> Response:
    """Return `response` whole, for what hands on no stream. Raises RequestError if it broke off."""
    if response.chunks is None:
        return response
    body = b"".join([chunk async for chunk in response.chunks])
    return replace(response, chunks=None, body=body, headers={**response.headers, **dict(UNBUFFERED)})
