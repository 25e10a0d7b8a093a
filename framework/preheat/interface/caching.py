"""`@preheat.cached`: what a handler says of keeping its answers, and what may be wrong with it."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar, overload

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Caching:
    """How many answers are kept, in how many MB (2**20 bytes), and for how many seconds: None is for ever."""

    entries: int
    mb: float
    ttl_s: float | None

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Caching":
        """Return what `document` made JSON of."""
        return cls(document["entries"], document["mb"], document["ttl_s"])


@overload
def cached(method: Method, /) -> Method: ...
@overload
def cached(
    *, entries: int = 1024, mb: float = 64.0, ttl_s: float | None = None
) -> Callable[[Method], Method]: ...
def cached(
    method: Any = None, /, *, entries: int = 1024, mb: float = 64.0, ttl_s: float | None = None
) -> Any:
    """Mark a predict that gives the same answer to the same input, so that good answers are kept."""

    def mark(method: Method) -> Method:
        method.__preheat_caching__ = Caching(entries, mb, ttl_s)  # type: ignore[attr-defined]
        return method

    if method is not None and not callable(method):
        raise TypeError("@preheat.cached takes its settings by name: @preheat.cached(entries=1024)")
    return mark if method is None else mark(method)


def caching_of(function: Callable[..., Any]) -> Caching | None:
    """Return what @preheat.cached left on a predict."""
    return getattr(function, "__preheat_caching__", None)


def caching_mistakes(caching: Caching, *, is_stream: bool) -> Iterator[tuple[str, str]]:
    """Yield what is wrong, each with the line to paste."""
    if is_stream:
        yield (
            "A predict that yields cannot be cached: its answer is never whole in one place.",
            "Remove @preheat.cached.",
        )
    if type(caching.entries) is not int or caching.entries < 1:
        yield (
            f"@preheat.cached has entries={caching.entries!r}; it is an int of at least 1.",
            "@preheat.cached(entries=1024)",
        )
    if not _positive(caching.mb):
        yield (
            f"@preheat.cached has mb={caching.mb!r}; it is a number of megabytes above 0.",
            "@preheat.cached(mb=64)",
        )
    if caching.ttl_s is not None and not _positive(caching.ttl_s):
        yield (
            f"@preheat.cached has ttl_s={caching.ttl_s!r}; it is a number of seconds above 0, or None.",
            "@preheat.cached(ttl_s=300)",
        )


def _positive(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value > 0  # type: ignore[arg-type,operator]
