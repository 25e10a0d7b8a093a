"""A handler class looked at once: the frozen contract that everything else reads."""

import inspect
from dataclasses import dataclass
from typing import Any

from preheat.errors import HandlerError
from preheat.interface.batching import Batching
from preheat.interface.body import input_media, output_media
from preheat.interface.caching import Caching
from preheat.interface.check import examine
from preheat.interface.codec import Codec
from preheat.interface.handler import Handler

STREAM_MEDIA = ("application/x-ndjson", "text/event-stream")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerContract:
    """What a handler takes and gives, and how its predict is called.

    `input` and `output` are those of one request, also where predict is batched, and of one item
    of a stream. `threads` is on how many threads a sync predict is called; `takes_call` says that it
    gets the Call beside its input. With `is_stream`, calling predict gives an iterator, an async one
    if `is_async`.
    """

    handler: type[Handler]
    reference: str
    title: str
    description: str
    input: Codec
    output: Codec
    batching: Batching | None
    caching: Caching | None
    threads: int
    takes_call: bool
    is_async: bool
    is_stream: bool

    def document(self) -> dict[str, Any]:
        """Return the contract as JSON values, for those who may not import the handler."""
        batching = self.batching
        return {
            "reference": self.reference,
            "title": self.title,
            "description": self.description,
            "input": self.input.schema,
            "output": self.output.schema,
            "batching": batching.document() if batching else None,
            "cache": self.caching.document() if self.caching else None,
            "threads": self.threads,
            "async": self.is_async,
            "stream": self.is_stream,
            "input_media": list(input_media(self.input)),
            "output_media": list(STREAM_MEDIA if self.is_stream else output_media(self.output)),
        }


def read_contract(handler: type[Handler], reference: str) -> HandlerContract:
    """Look at a handler class. Raises HandlerError, listing every mistake with the line to paste."""
    predict, mistakes = examine(handler)
    if mistakes or predict is None:
        count = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        lines = [f"{f'line {each.line}: ' if each.line else ''}{each.message}" for each in mistakes]
        fixes = [each.fix for each in mistakes if each.fix]
        raise HandlerError(f"Handler {reference!r} has {count}.\n" + "\n".join(lines), hint="\n".join(fixes))
    return HandlerContract(
        handler=handler,
        reference=reference,
        title=handler.__name__,
        description=inspect.cleandoc(handler.__doc__ or ""),
        input=predict.input,
        output=predict.output,
        batching=predict.batching,
        caching=predict.caching,
        threads=predict.threads,
        takes_call=predict.takes_call,
        is_async=predict.is_async,
        is_stream=predict.is_stream,
    )
