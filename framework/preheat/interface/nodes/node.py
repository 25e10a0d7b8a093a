"""One compiled type: its JSON Schema and the two closures between JSON and Python."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from preheat.interface.manifest import Limits
from preheat.interface.place import Place, pointer

MAX_MISTAKES = 20
"""How many mistakes of one input are collected before reading it ends."""

Schema = dict[str, Any]
NOTHING: Mapping[str, Any] = {}


class TooManyMistakes(Exception):
    """Reading ends here: the list of mistakes is full."""


class Misfit(Exception):
    """A Python value does not fit its annotation at `place`."""

    def __init__(self, place: Place, detail: str) -> None:
        super().__init__(detail)
        self.place = place
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes that came beside JSON: a raw body, or one part of a multipart body."""

    data: bytes
    media_type: str
    name: str | None = None


@dataclass(slots=True)
class Reading:
    """One input while it is read: the limits that hold, and the mistakes and pixels found so far."""

    limits: Limits
    mistakes: list[tuple[str, str]] = field(default_factory=list)
    pixels: int = 0

    def wrong(self, place: Place, detail: str) -> None:
        """Record a mistake. What the reader returns then is never used."""
        self.mistakes.append((pointer(place), detail))
        if len(self.mistakes) >= MAX_MISTAKES:
            raise TooManyMistakes


Read = Callable[[Any, Place, Reading], Any]
Write = Callable[[Any, Place], Any]


@dataclass(slots=True, eq=False, kw_only=True)
class Node:
    """A compiled type.

    `reads` lists the JSON types it takes, which decides whether a union is ambiguous; `matches`
    tells whether a Python value is for this node, as far as a union needs to know.
    `media` lists the media types it takes raw, `fields` the members of an object, `item` that of a list.
    `bulk` tells that all of a list's values pass unchanged in both directions.
    `tags` maps fields to the literals they hold, which tells the objects of a union apart.
    `sized` is how JSON Schema's keywords for the length end (`Items` in `minItems`); it is empty where
    none says the length of the Python value, and None where a length means nothing.
    """

    name: str
    schema: Schema
    read: Read
    write: Write
    reads: frozenset[str]
    matches: Callable[[Any], bool]
    media: tuple[str, ...] = ()
    fields: "Mapping[str, Node]" = field(default_factory=dict)
    item: "Node | None" = None
    bulk: Callable[[list[Any]], bool] | None = None
    tags: Mapping[str, frozenset[str]] = field(default_factory=dict)
    sized: str | None = None
