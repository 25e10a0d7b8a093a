"""Media types in headers: Content-Type (RFC 9110 8.3) and Accept (RFC 9110 12.5.1)."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from preheat.errors import UnsupportedMedia

_PARAMETER = re.compile(r';\s*([!#$%&\'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"\s]*)\s*')
_ESCAPED = re.compile(r"\\(.)")


USUAL_LENGTH = 100
"""Headers up to this length are parsed once: callers send the same one over and over."""


def parse_media_type(header: str) -> tuple[str, Mapping[str, str]]:
    """Return the type in lower case, and its parameters with names in lower case."""
    return _parsed(header) if len(header) <= USUAL_LENGTH else _parse(header)


@lru_cache(maxsize=128)
def _parsed(header: str) -> tuple[str, Mapping[str, str]]:
    return _parse(header)


def _parse(header: str) -> tuple[str, Mapping[str, str]]:
    kind, _, _ = header.partition(";")
    parameters: dict[str, str] = {}
    for match in _PARAMETER.finditer(header, len(kind)):
        value = match[2]
        if value.startswith('"'):
            value = _ESCAPED.sub(r"\1", value[1:-1])
        parameters.setdefault(match[1].lower(), value)
    return kind.strip().lower(), MappingProxyType(parameters)


def check_charset(kind: str, parameters: Mapping[str, str]) -> None:
    """Raise UnsupportedMedia if the parameters of `kind` name another charset than UTF-8."""
    charset = parameters.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMedia(f"{kind} with the charset {charset!r} is not read; send UTF-8.")


def in_range(media_type: str, accepted: str) -> bool:
    """Tell whether `media_type` is in `accepted`, which may be `image/*` or `*/*`."""
    return accepted in ("*/*", media_type) or (
        accepted.endswith("/*") and media_type.startswith(accepted.removesuffix("*"))
    )


def choose(accept: str, offered: Sequence[str]) -> str:
    """Return the one of `offered` that `accept` likes best, the earlier where it likes two the same.

    The first is returned where none is acceptable: an answer is worth more than a 406.
    """
    if not accept or accept.strip() == "*/*":
        return offered[0]
    ranges = [parse_media_type(part) for part in accept.split(",")]
    liking = [_quality(media_type, ranges) for media_type in offered]
    best = max(liking)
    return offered[liking.index(best)] if best > 0 else offered[0]


def _quality(media_type: str, ranges: Sequence[tuple[str, Mapping[str, str]]]) -> float:
    fitting = [
        (len(kind.replace("*", "")), parameters) for kind, parameters in ranges if in_range(media_type, kind)
    ]
    if not fitting:
        return 0.0
    _, parameters = max(fitting, key=lambda entry: entry[0])
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 0.0
