"""Which weights belong to a function: written into the archive by the deploy, read when a function starts."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

LISTING = "preheat-weights.json"
"""The listing's file name, at the root of the archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One file: its `path` in the weights layer, the object's `key`, and the content's SHA-256 (hex)."""

    path: str
    key: str
    bytes: int
    sha256: str


def listing_json(items: Iterable[Item]) -> str:
    """Return the listing as JSON, the same text for the same items."""
    ordered = sorted(items, key=lambda item: item.path)
    return json.dumps([asdict(item) for item in ordered], indent=1) + "\n"


def read_listing(text: str) -> tuple[Item, ...]:
    """Return what `listing_json` wrote."""
    return tuple(Item(**item) for item in json.loads(text))
