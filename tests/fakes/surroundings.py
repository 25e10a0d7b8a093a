"""Where a provider runs on this machine, and what its projects say beside what lies in the repository."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from preheat.project.model import EMPTY
from preheat.provider.protocol import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """`provider` is the one to use if it is not the installed one; see `Functions` for the others."""

    provider: Provider | None = None
    settings: str = ""
    options: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
