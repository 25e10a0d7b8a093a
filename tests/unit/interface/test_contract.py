from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

import preheat
from preheat.interface.batching import Batching
from preheat.interface.contract import read_contract


@dataclass
class Query:
    text: str


class Embedder(preheat.Handler):
    """Sentence embeddings.

    With one number for each letter.
    """

    @preheat.batched(max_size=8, max_wait_ms=2)
    def predict(self, queries: list[Query]) -> list[list[float]]:
        return [[float(ord(letter)) for letter in query.text] for query in queries]


class Counter(preheat.Handler):
    def predict(self, upto: int) -> Iterator[int]:
        yield from range(upto)


class AsyncCounter(preheat.Handler):
    async def predict(self, upto: int) -> AsyncIterator[int]:
        for number in range(upto):
            yield number


class Relay(preheat.Handler):
    def predict(self, upto: int) -> AsyncIterator[int]:
        return AsyncCounter().predict(upto)


class Waiter(preheat.Handler):
    async def predict(self, name: str) -> str:
        return name


def test_the_contract_of_a_batched_handler_is_that_of_one_request() -> None:
    contract = read_contract(Embedder, "handler:Embedder")
    assert contract.batching == Batching(8, 2)
    assert contract.input.decode({"text": "a"}) == Query("a")
    assert contract.output.encode([1.0]) == [1.0]
    assert contract.description == "Sentence embeddings.\n\nWith one number for each letter."
    document = contract.document()
    assert document["batching"] == {"max_size": 8, "max_wait_ms": 2, "grouped": False, "rows": False}
    assert document["input"]["title"] == "Query"
    assert document["input_media"] == document["output_media"] == ["application/json"]


def test_a_size_stays_with_the_handler_and_the_document_says_that_there_is_one() -> None:
    class Grouped(preheat.Handler):
        @preheat.batched(size=len)
        def predict(self, texts: list[str]) -> list[int]:
            return [len(text) for text in texts]

    contract = read_contract(Grouped, "handler:Grouped")
    assert contract.batching == Batching(32, 5.0, len)
    told = {"max_size": 32, "max_wait_ms": 5.0, "grouped": True, "rows": False}
    assert contract.document()["batching"] == told


@pytest.mark.parametrize(
    ("handler", "is_async", "is_stream"),
    [
        (Embedder, False, False),
        (Counter, False, True),
        (AsyncCounter, True, True),
        (Relay, True, True),
        (Waiter, True, False),
    ],
)
def test_how_predict_is_called_is_known_from_the_class(
    handler: type[preheat.Handler], is_async: bool, is_stream: bool
) -> None:
    contract = read_contract(handler, "x:Y")
    assert (contract.is_async, contract.is_stream) == (is_async, is_stream)


def test_a_streams_result_is_one_item() -> None:
    contract = read_contract(Counter, "x:Counter")
    assert contract.output.schema["type"] == "integer"
    assert contract.document()["stream"] is True
    assert contract.document()["output_media"] == ["application/x-ndjson", "text/event-stream"]
