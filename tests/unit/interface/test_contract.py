import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import preheat
from preheat.interface.batching import Batching
from preheat.interface.contract import import_handler, read_contract


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


@pytest.fixture
def module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[[str], str]:
    monkeypatch.syspath_prepend(tmp_path)
    name = "imported_" + str(abs(hash(request.node.nodeid)))

    def write(source: str) -> str:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        return name

    return write


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import unheard_of_package.sub", "line 1: there is no module 'unheard_of_package'"),
        ("x = 1\ndef broken(:\n  pass", "line 2: invalid syntax"),
        ("x = 1\n\nraise KeyError('a')", "line 3: KeyError: 'a'"),
        ("raise SystemExit(3)", "line 1: SystemExit: 3"),
        ("def f():\n    return 1 / 0\nf()", "line 2: ZeroDivisionError"),
        ("Model = 3", "does not derive from preheat.Handler"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told_where(
    module: Callable[[str], str], source: str, message: str
) -> None:
    with pytest.raises(preheat.HandlerError) as caught:
        import_handler(f"{module(source)}:Model")
    assert message in caught.value.message


def test_a_missing_package_has_the_requirement_to_paste(module: Callable[[str], str]) -> None:
    with pytest.raises(preheat.HandlerError) as caught:
        import_handler(f"{module('import unheard_of_package.sub')}:Model")
    assert (caught.value.hint or "").startswith('requirements = ["unheard_of_package"]')


def test_a_misspelt_class_has_the_nearest_one_as_hint(module: Callable[[str], str]) -> None:
    name = module("import preheat\nclass Embedder(preheat.Handler): ...\nclass Other(preheat.Handler): ...")
    with pytest.raises(preheat.HandlerError) as caught:
        import_handler(f"{name}:Embeder")
    assert caught.value.hint == f'handler = "{name}:Embedder"'


def test_a_missing_module_is_told_which_file_to_write() -> None:
    with pytest.raises(preheat.HandlerError) as caught:
        import_handler("unheard_of_module:Model")
    assert "There is no module 'unheard_of_module'" in caught.value.message
    assert "unheard_of_module.py" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "reference", ["", "handler", "handler:", ":Model", "a b:C", "handler.py:Model:x", "../x:Y"]
)
def test_what_is_no_reference_is_refused(reference: str) -> None:
    with pytest.raises(preheat.HandlerError, match="names no handler"):
        import_handler(reference)
