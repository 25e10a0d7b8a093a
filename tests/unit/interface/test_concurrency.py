from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import preheat
from preheat.interface.check import check_handler
from preheat.interface.contract import read_contract


class Inside(preheat.Handler):
    @preheat.cached()
    @preheat.threaded(threads=3)
    def predict(self, text: str) -> int:
        return len(text)


class Outside(preheat.Handler):
    @preheat.threaded(threads=3)
    @preheat.cached()
    def predict(self, text: str) -> int:
        return len(text)


class Plain(preheat.Handler):
    def predict(self, text: str) -> int:
        return len(text)


@pytest.mark.parametrize(("handler", "threads"), [(Inside, 3), (Outside, 3), (Plain, 1)])
def test_the_contract_and_its_document_say_how_many_threads(
    handler: type[preheat.Handler], threads: int
) -> None:
    contract = read_contract(handler, "x:Y")
    assert contract.threads == contract.document()["threads"] == threads
    assert (contract.caching is None) == (handler is Plain)


def mistakes(handler: type[preheat.Handler]) -> list[tuple[str, str | None]]:
    return [(mistake.message, mistake.fix) for mistake in check_handler(handler)]


@pytest.mark.parametrize("threads", [2, 64])
def test_the_bounds_are_within(threads: int) -> None:
    class Model(preheat.Handler):
        @preheat.threaded(threads=threads)
        def predict(self, text: str) -> int:
            return len(text)

    assert mistakes(Model) == []


@pytest.mark.parametrize("threads", [1, 0, -2, 65, True, 2.0, "4", None])
def test_a_number_that_is_none_has_the_line_to_paste(threads: Any) -> None:
    class Model(preheat.Handler):
        @preheat.threaded(threads=threads)
        def predict(self, text: str) -> int:
            return len(text)

    [(message, fix)] = mistakes(Model)
    assert message == f"@preheat.threaded has threads={threads!r}; it is an int from 2 to 64."
    assert fix == "@preheat.threaded(threads=4)"


class Batched(preheat.Handler):
    @preheat.threaded(threads=2)
    @preheat.batched()
    def predict(self, texts: list[str]) -> list[int]:
        return [len(text) for text in texts]


class Async(preheat.Handler):
    @preheat.threaded(threads=2)
    async def predict(self, text: str) -> int:
        return len(text)


class Stream(preheat.Handler):
    @preheat.threaded(threads=2)
    def predict(self, upto: int) -> Iterator[int]:
        yield from range(upto)


class AsyncStream(preheat.Handler):
    @preheat.threaded(threads=2)
    async def predict(self, upto: int) -> AsyncIterator[int]:
        for number in range(upto):
            yield number


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (Batched, "a batch is one call that answers all who wait"),
        (Async, "its calls overlap on the event loop"),
        (Stream, "the streams of one process take turns"),
        (AsyncStream, "A predict that yields cannot be threaded"),
    ],
)
def test_where_threads_would_have_nothing_to_do_the_reason_and_what_to_remove_are_told(
    handler: type[preheat.Handler], reason: str
) -> None:
    [(message, fix)] = mistakes(handler)
    assert reason in message
    assert fix is not None
    assert fix.startswith("Remove @preheat.threaded.")
