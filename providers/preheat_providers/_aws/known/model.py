"""One known error, and what it says of a message."""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cached_property

UNSAID = {"who": "whoever deploys", "resource": "the resource"}
"""What stands for a part that a message may leave out."""


@dataclass(frozen=True, slots=True)
class Fix:
    """What an error means, in a sentence, and what to do about it, with the line to paste."""

    why: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class Known:
    """An error, by what its message says (a regular expression) or by its code; either suffices.

    The named groups of `pattern` fill the places of `why` and `hint`, so one with places has no codes.
    """

    name: str
    why: str
    hint: str
    pattern: str | None = None
    codes: Set[str] = frozenset()

    @cached_property
    def _expression(self) -> re.Pattern[str] | None:
        return re.compile(self.pattern, re.IGNORECASE) if self.pattern is not None else None

    def read(self, message: str) -> Fix | None:
        """Return the fix if the message is this error's."""
        found = self._expression.search(message) if self._expression is not None else None
        return self._fix(found.groupdict()) if found is not None else None

    def coded(self, codes: Set[str]) -> Fix | None:
        """Return the fix if one of `codes` is this error's."""
        return self._fix({}) if self.codes & codes else None

    def _fix(self, found: Mapping[str, str | None]) -> Fix:
        values = {name: text or UNSAID.get(name, "it") for name, text in found.items()}
        return Fix(self.why.format_map(values), self.hint.format_map(values))
