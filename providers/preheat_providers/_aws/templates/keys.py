"""Which keys a trigger takes, said in the languages of EventBridge and of IAM. Pure."""

import re
from collections.abc import Iterator
from typing import Any

from preheat_providers._aws.templates.intrinsics import iam_text


def key_matchers(prefix: str, suffix: str) -> list[Any]:
    """Return the patterns of EventBridge for the keys that begin and end so; empty where every key does.

    Several patterns of one field are alternatives, so that a prefix and a suffix make one wildcard.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
    """
    if prefix and suffix:
        whole = f"{_wildcard_text(prefix)}*{_wildcard_text(suffix)}"
        return [{"wildcard": whole}, *_overlapping(prefix, suffix)]
    if prefix:
        return [{"prefix": prefix}]
    return [{"suffix": suffix}] if suffix else []


def key_patterns(prefix: str, suffix: str) -> list[str]:
    """Return the same as the ends of ARNs, for `object_arn`."""
    exact = [iam_text(key) for key in _overlapping(prefix, suffix)]
    return [f"{iam_text(prefix)}*{iam_text(suffix)}", *exact]


def _overlapping(prefix: str, suffix: str) -> Iterator[str]:
    """Yield the keys in which both share characters, which no wildcard between them takes."""
    for shared in range(1, min(len(prefix), len(suffix)) + 1):
        if prefix.endswith(suffix[:shared]):
            yield prefix + suffix[shared:]


def _wildcard_text(text: str) -> str:
    return re.sub(r"([*\\])", r"\\\1", text)
