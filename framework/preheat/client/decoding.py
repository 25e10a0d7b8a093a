"""From the body of an answer to a Python value, and from a stream of bytes to its items. Pure."""

import json
from typing import Any

from preheat.client.encoding import compiled
from preheat.client.exchange import Answer
from preheat.client.problems import problem_error
from preheat.errors import BadInput, HandlerFailed, WorkerDied
from preheat.interface.manifest import Limits
from preheat.interface.media import OCTETS, File
from preheat.interface.mediatype import parse_media_type
from preheat.interface.message import JSON_TYPE

LINES_TYPE = "application/x-ndjson"
_PROBLEM_KEYS = {"type", "title", "status", "detail"}
_UNBOUNDED = Limits(pixels=2**62)


def accept_for(into: Any) -> str:
    """Return the Accept header that gets an answer which `into` can be made of."""
    raw = into is None or into is bytes or (isinstance(into, type) and issubclass(into, File))
    return "*/*" if raw else JSON_TYPE


def decode_answer(answer: Answer, into: Any) -> Any:
    """Return the value in `answer`: JSON, the list of a recorded stream, bytes, or a File of another type."""
    media_type = answer.headers.get("content-type", OCTETS)
    kind, _ = parse_media_type(media_type)
    if kind == JSON_TYPE:
        return typed(_json(answer.body), into)
    if kind == LINES_TYPE:
        lines = Lines(into)
        return [*lines.feed(answer.body), *lines.end()]
    if into is bytes or (into is None and kind == OCTETS):
        return answer.body
    file = into if isinstance(into, type) and issubclass(into, File) else File
    return file(answer.body, media_type)


def typed(value: Any, into: Any) -> Any:
    """Return the JSON value as `into`, as it is for None. Raises HandlerFailed where it does not fit."""
    if into is None:
        return value
    try:
        return compiled(into).decode(value, _UNBOUNDED)
    except BadInput as exc:
        where, detail = exc.errors[0] if exc.errors else ("", exc.message)
        at = f" at {where}" if where else ""
        name = getattr(into, "__name__", into)
        raise HandlerFailed(f"The answer does not fit {name}{at}: {detail}.", errors=exc.errors) from exc


class Lines:
    """Takes the bytes of a stream of JSON lines as they come and gives the items that are complete.

    Raises the problem of an in-band error record, and WorkerDied where the stream breaks off.
    """

    def __init__(self, into: Any = None) -> None:
        self._into = into
        self._rest = b""
        self._given = 0

    def feed(self, chunk: bytes) -> list[Any]:
        """Return the items that `chunk` completes; an error after some of them is raised by the next call."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        items: list[Any] = []
        for index, line in enumerate(lines):
            value = _json(line)
            if _is_error(value):
                if items:
                    self._rest = b"\n".join([*lines[index:], self._rest])
                    break
                raise problem_error(value["error"], status=value["error"]["status"])
            items.append(typed(value, self._into))
        self._given += len(items)
        return items

    def end(self, *, broken: str | None = None) -> list[Any]:
        """Say that no more bytes come, `broken` with the reason where the connection was lost."""
        items = self.feed(b"")
        if broken or self._rest:
            reason = broken or "its last line is not complete"
            raise WorkerDied(f"The stream broke off after {self._given} items: {reason}.")
        return items


def _is_error(value: Any) -> bool:
    # A handler may yield {"error": ...} of its own: only a whole problem document counts.
    if not isinstance(value, dict) or value.keys() != {"error"} or not isinstance(value["error"], dict):
        return False
    problem = value["error"]
    return problem.keys() >= _PROBLEM_KEYS and isinstance(problem["status"], int)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as exc:
        raise HandlerFailed(f"The answer is not the JSON that it says it is: {exc}.") from exc
