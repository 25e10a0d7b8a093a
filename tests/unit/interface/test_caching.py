from collections.abc import Iterator
from typing import Any

import pytest

import preheat
from preheat.interface.caching import Caching
from preheat.interface.check import check_handler
from preheat.interface.contract import read_contract


class Inside(preheat.Handler):
    @preheat.cached(entries=8, mb=2, ttl_s=60)
    @preheat.batched(max_size=4)
    def predict(self, texts: list[str]) -> list[int]:
        return [len(text) for text in texts]


class Outside(preheat.Handler):
    @preheat.batched(max_size=4)
    @preheat.cached(entries=8, mb=2, ttl_s=60)
    def predict(self, texts: list[str]) -> list[int]:
        return [len(text) for text in texts]


class Plain(preheat.Handler):
    def predict(self, text: str) -> int:
        return len(text)


@pytest.mark.parametrize("handler", [Inside, Outside])
def test_cached_and_batched_combine_in_any_order(handler: type[preheat.Handler]) -> None:
    contract = read_contract(handler, "x:Y")
    assert contract.caching == Caching(8, 2, 60)
    assert contract.batching is not None
    assert contract.batching.max_size == 4


def test_the_contract_document_says_what_is_kept() -> None:
    document = read_contract(Inside, "x:Y").document()
    assert document["cache"] == {"entries": 8, "mb": 2, "ttl_s": 60}
    assert Caching.of(document["cache"]) == Caching(8, 2, 60)
    assert read_contract(Plain, "x:Y").document()["cache"] is None


def mistakes(**settings: Any) -> list[tuple[str, str | None]]:
    class Model(preheat.Handler):
        @preheat.cached(**settings)
        def predict(self, text: str) -> int:
            return len(text)

    return [(mistake.message, mistake.fix) for mistake in check_handler(Model)]


def test_the_defaults_are_right() -> None:
    assert mistakes() == []


@pytest.mark.parametrize(
    ("settings", "message", "fix"),
    [
        ({"entries": 0}, "entries=0; it is an int of at least 1", "@preheat.cached(entries=1024)"),
        ({"entries": True}, "entries=True; it is an int", "@preheat.cached(entries=1024)"),
        ({"entries": 1.5}, "entries=1.5; it is an int", "@preheat.cached(entries=1024)"),
        ({"mb": 0}, "mb=0; it is a number of megabytes above 0", "@preheat.cached(mb=64)"),
        ({"mb": float("inf")}, "mb=inf", "@preheat.cached(mb=64)"),
        ({"mb": "64"}, "mb='64'", "@preheat.cached(mb=64)"),
        ({"ttl_s": 0}, "ttl_s=0; it is a number of seconds above 0, or None", "@preheat.cached(ttl_s=300)"),
        ({"ttl_s": float("nan")}, "ttl_s=nan", "@preheat.cached(ttl_s=300)"),
    ],
)
def test_a_bound_that_is_none_has_the_line_to_paste(settings: dict[str, Any], message: str, fix: str) -> None:
    [(found, line)] = mistakes(**settings)
    assert message in found
    assert line == fix


def test_a_stream_cannot_be_cached() -> None:
    class Model(preheat.Handler):
        @preheat.cached()
        def predict(self, upto: int) -> Iterator[int]:
            yield from range(upto)

    [mistake] = check_handler(Model)
    assert mistake.message.startswith("A predict that yields cannot be cached")
    assert mistake.fix == "Remove @preheat.cached."
