"""Requests and answers as frames on a stream socket, between a pool of workers and the workers.

A frame is its kind (one byte), the length of its payload (four bytes, big-endian) and the payload.
A message is a HEAD (JSON), any number of BODY frames and an END, which is empty unless an answer
that had begun broke off: then it holds the problem document. A connection carries one request at
a time and is used again; closing it before END means that nobody waits for the answer.
"""

import json
import struct
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from preheat.errors import BodyTooLarge, HandlerFailed, PreheatError, RequestError
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_document

HEAD, BODY, END = 1, 2, 3
BODY_FRAME_BYTES = 64 * 1024
HEAD_BYTES = 1024 * 1024

_PREFIX = struct.Struct("!BI")
_REQUEST_FIELDS = frozenset({"id", "content_type", "accept", "timeout_s", "headers"})
_RESPONSE_FIELDS = frozenset({"status", "content_type", "headers", "queue_ms", "model_ms", "stream"})
_LIMITS = {HEAD: HEAD_BYTES, BODY: BODY_FRAME_BYTES, END: HEAD_BYTES}


class BrokenFrame(PreheatError):
    """The other side sent something that is no frame, or ended in the middle of a message."""


def frame(kind: int, payload: bytes | memoryview = b"") -> bytes:
    """Return one frame."""
    return _PREFIX.pack(kind, len(payload)) + payload


async def read_frame(reader: StreamReader) -> tuple[int, bytes] | None:
    """Read one frame; None when the other side closed between two. Raises BrokenFrame."""
    try:
        prefix = await reader.readexactly(_PREFIX.size)
    except IncompleteReadError as exc:
        if not exc.partial:
            return None
        raise BrokenFrame("The connection ended inside the head of a frame.") from exc
    kind, length = _PREFIX.unpack(prefix)
    if length > _LIMITS.get(kind, -1):
        raise BrokenFrame(f"A frame of kind {kind} and {length} bytes is not one of ours.")
    try:
        return kind, await reader.readexactly(length)
    except IncompleteReadError as exc:
        raise BrokenFrame(f"The connection ended inside a frame of {length} bytes.") from exc


async def write_request(writer: StreamWriter, request: Request) -> None:
    """Send `request`. Raises ConnectionError when the other side is gone."""
    head = {
        "id": request.id,
        "content_type": request.content_type,
        "accept": request.accept,
        "timeout_s": request.timeout_s,
        "headers": dict(request.headers),
    }
    await _write_message(writer, head, request.body)


async def read_request(reader: StreamReader, *, max_bytes: int) -> Request | None:
    """Read the next request; None when the other side closed.

    Raises BrokenFrame, and BodyTooLarge, after which the next request can be read.
    """
    head = await _read_head(reader, _REQUEST_FIELDS)
    if head is None:
        return None
    body = await _read_body(reader, max_bytes=max_bytes)
    return Request(
        id=head["id"],
        content_type=head["content_type"],
        accept=head["accept"],
        timeout_s=head["timeout_s"],
        headers=MappingProxyType(head["headers"]),
        body=body,
    )


async def write_response(writer: StreamWriter, response: Response) -> None:
    """Send `response`, its stream as it comes, then close the stream. Raises ConnectionError."""
    head = {
        "status": response.status,
        "content_type": response.content_type,
        "headers": dict(response.headers),
        "queue_ms": response.queue_ms,
        "model_ms": response.model_ms,
        "batch_size": response.batch_size,
        "stream": response.chunks is not None,
    }
    if response.chunks is None:
        await _write_message(writer, head, response.body)
        return
    writer.write(frame(HEAD, json.dumps(head).encode()))
    end = b""
    try:
        async for chunk in response.chunks:
            _write_body(writer, chunk)
            await writer.drain()
    except RequestError as error:
        end = json.dumps(problem_document(error)).encode()
    finally:
        await close_chunks(response.chunks)
    writer.write(frame(END, end))
    await writer.drain()


async def read_response(reader: StreamReader, writer: StreamWriter) -> Response:
    """Read the answer to the request just sent on `writer`.

    The connection may be used again once a stream's `chunks` are exhausted; closing them earlier
    closes it, which cancels the request. Raises BrokenFrame when the other side ended too early.
    """
    head = await _read_head(reader, _RESPONSE_FIELDS)
    if head is None:
        raise BrokenFrame("The connection ended before the answer.")
    chunks = FramedChunks(reader, writer) if head["stream"] else None
    body = b"" if chunks else await _read_body(reader, max_bytes=None)
    return Response(
        status=head["status"],
        content_type=head["content_type"],
        headers=MappingProxyType(head["headers"]),
        queue_ms=head["queue_ms"],
        model_ms=head["model_ms"],
        # A release that was built before there was such a number still answers.
        batch_size=head.get("batch_size", 0),
        body=body,
        chunks=chunks,
    )


async def close_chunks(chunks: AsyncIterator[bytes]) -> None:
    """Tell whatever makes `chunks` that nobody reads them any more."""
    if isinstance(chunks, _Closable):
        await chunks.aclose()


@runtime_checkable
class _Closable(Protocol):
    async def aclose(self) -> None: ...


class FramedChunks(AsyncIterator[bytes]):
    """The stream of one answer.

    Iterating raises HandlerFailed when the stream broke off with a reason, BrokenFrame without one.
    """

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.finished = False

    async def __anext__(self) -> bytes:
        if self.finished:
            raise StopAsyncIteration
        read = await read_frame(self._reader)
        if read is None:
            raise BrokenFrame("The connection ended inside a stream.")
        kind, payload = read
        if kind == BODY:
            return payload
        self.finished = True
        if payload:
            raise HandlerFailed(str(json.loads(payload)["detail"]))
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop: an unfinished stream's connection is closed, which tells the handler to stop too."""
        if not self.finished:
            self.finished = True
            self._writer.close()


async def _write_message(writer: StreamWriter, head: Mapping[str, Any], body: bytes) -> None:
    writer.write(frame(HEAD, json.dumps(head).encode()))
    _write_body(writer, body)
    writer.write(frame(END))
    await writer.drain()


def _write_body(writer: StreamWriter, body: bytes) -> None:
    view = memoryview(body)
    for start in range(0, len(view), BODY_FRAME_BYTES):
        writer.write(frame(BODY, view[start : start + BODY_FRAME_BYTES]))


async def _read_head(reader: StreamReader, fields: frozenset[str]) -> dict[str, Any] | None:
    read = await read_frame(reader)
    if read is None:
        return None
    kind, payload = read
    if kind != HEAD:
        raise BrokenFrame(f"A message begins with a frame of kind {kind}.")
    try:
        head = json.loads(payload)
    except ValueError as exc:
        raise BrokenFrame("The head of a message is no JSON.") from exc
    if not isinstance(head, dict) or not fields <= head.keys():
        raise BrokenFrame(f"The head of a message lacks some of {', '.join(sorted(fields))}.")
    return head


async def _read_body(reader: StreamReader, *, max_bytes: int | None) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        read = await read_frame(reader)
        if read is None:
            raise BrokenFrame("The connection ended before the end of a message.")
        kind, payload = read
        if kind == END and max_bytes is not None and size > max_bytes:
            raise BodyTooLarge(f"The body has {size} bytes; the limit is {max_bytes}.")
        if kind == END:
            return b"".join(parts)
        if kind != BODY:
            raise BrokenFrame(f"A frame of kind {kind} inside a body.")
        size += len(payload)
        if max_bytes is None or size <= max_bytes:
            parts.append(payload)
