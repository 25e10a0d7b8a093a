"""From the body of an answer to a Python value, and from a stream of bytes to its items. Pure."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from preheat.client.contract import Contract
from preheat.client.encoding import compiled
from preheat.client.exchange import Answer, Cause, Failed
from preheat.client.problems import problem_error
from preheat.errors import BadInput, DeadlineExceeded, HandlerFailed, WorkerDied
from preheat.interface.manifest import Limits
from preheat.interface.media import NPY, OCTETS, File
from preheat.interface.mediatype import parse_media_type
from preheat.interface.message import JSON_TYPE
from preheat.interface.nodes.node import Part

LINES_TYPE = "application/x-ndjson"
_PROBLEM_KEYS = {"type", "title", "status", "detail"}
_UNBOUNDED = Limits(pixels=2**62)


@dataclass(frozen=True, slots=True)
class Returns:
    """What an answer is turned into: the JSON value, bytes or File that it is, or where given an `into`."""

    into: Any = None

    @classmethod
    def of(cls, into: Any, contract: Contract, *, arrays: bool) -> "Returns":
        """Return `into`, or what the contract names for None: an array, with `arrays`, for a tensor."""
        spec = contract.output_tensor
        if into is not None or spec is None or not arrays:
            return cls(into)
        from numpy import ndarray  # the caller's: `arrays` says that it is there

        return cls(Annotated[ndarray, spec])

    @property
    def accept(self) -> str:
        """The Accept header that gets an answer which this can be made of."""
        if self.into is None or self._is_raw:
            return "*/*"
        return NPY if compiled(self.into).node.media == (NPY,) else JSON_TYPE

    def decode(self, answer: Answer) -> Any:
        """Return the value in `answer`, the list of a recorded stream included."""
        media_type = answer.headers.get("content-type", OCTETS)
        kind, _ = parse_media_type(media_type)
        if kind == JSON_TYPE:
            return self.typed(_json(answer.body))
        if kind == LINES_TYPE:
            lines = Lines(self)
            return [*lines.feed(answer.body), *lines.end()]
        if kind == NPY and not self._is_raw and self.into is not None:
            return self.typed(Part(answer.body, kind))
        if self.into is bytes or (self.into is None and kind == OCTETS):
            return answer.body
        return (self.into if self._is_raw else File)(answer.body, media_type)

    def typed(self, value: Any) -> Any:
        """Return a JSON value, or an array's bytes. Raises HandlerFailed where it does not fit."""
        if self.into is None:
            return value
        try:
            return compiled(self.into).decode(value, _UNBOUNDED)
        except BadInput as exc:
            where, detail = exc.errors[0] if exc.errors else ("", exc.message)
            at = f" at {where}" if where else ""
            name = compiled(self.into).node.name
            raise HandlerFailed(f"The answer does not fit {name}{at}: {detail}.", errors=exc.errors) from exc

    @property
    def _is_raw(self) -> bool:
        return self.into is bytes or (isinstance(self.into, type) and issubclass(self.into, File))


class Lines:
    """Takes the bytes of a stream of JSON lines as they come and gives the items that are complete.

    Raises the problem of an in-band error record, WorkerDied where the stream breaks off and
    DeadlineExceeded where it stalls.
    """

    def __init__(self, returns: Returns) -> None:
        self._returns = returns
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
            items.append(self._returns.typed(value))
        self._given += len(items)
        return items

    def end(self, ended_by: Failed | None = None) -> list[Any]:
        """Say that no more bytes come, with the reason where they ended too early."""
        items = self.feed(b"")
        if ended_by is not None and ended_by.cause is Cause.TIMEOUT:
            raise DeadlineExceeded(f"The stream did not end in time; it gave {self._given} items.")
        if ended_by is not None or self._rest:
            reason = ended_by.detail if ended_by else "its last line is not complete"
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
