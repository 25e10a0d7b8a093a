from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import preheat
from preheat.interface.call import Call
from preheat.interface.check import check_handler
from preheat.interface.contract import read_contract


class Plain(preheat.Handler):
    def predict(self, text: str) -> int:
        return len(text)


class One(preheat.Handler):
    def predict(self, text: str, call: preheat.Call) -> int:
        return len(text)


class Named(preheat.Handler):
    def predict(self, text: str, whatever_its_name: "preheat.Call") -> int:
        return len(text)


class Batch(preheat.Handler):
    @preheat.batched()
    def predict(self, texts: list[str], calls: list[preheat.Call]) -> list[int]:
        return [len(text) for text in texts]


class Stream(preheat.Handler):
    def predict(self, upto: int, call: preheat.Call) -> Iterator[int]:
        yield from range(upto)


class AsyncStream(preheat.Handler):
    async def predict(self, upto: int, call: preheat.Call) -> AsyncIterator[int]:
        yield upto


class Threaded(preheat.Handler):
    @preheat.threaded(threads=2)
    def predict(self, text: str, call: preheat.Call) -> int:
        return len(text)


@pytest.mark.parametrize("handler", [One, Named, Batch, Stream, AsyncStream, Threaded])
def test_a_second_parameter_of_the_type_call_gets_it(handler: type[preheat.Handler]) -> None:
    assert read_contract(handler, "x:Y").takes_call


def test_what_a_caller_sees_of_a_handler_does_not_depend_on_it() -> None:
    plain, one = read_contract(Plain, "x:Y"), read_contract(One, "x:Y")
    assert not plain.takes_call
    assert {**one.document(), "title": "Plain"} == plain.document()


def mistakes(handler: type[preheat.Handler]) -> list[tuple[str, str | None]]:
    return [(mistake.message, mistake.fix) for mistake in check_handler(handler)]


def test_a_cached_predict_cannot_ask_for_it() -> None:
    class Cached(preheat.Handler):
        @preheat.cached()
        def predict(self, text: str, call: preheat.Call) -> int:
            return len(text)

    [(message, fix)] = mistakes(Cached)
    assert "share one answer, whatever their ids and headers" in message
    assert fix == "Remove @preheat.cached, or the parameter."
    with pytest.raises(preheat.HandlerError, match="share one answer"):
        read_contract(Cached, "x:Y")


def test_a_batched_predict_takes_as_many_calls_as_inputs() -> None:
    class Single(preheat.Handler):
        @preheat.batched()
        def predict(self, texts: list[str], call: preheat.Call) -> list[int]:
            return []

    [(message, fix)] = mistakes(Single)
    assert "as many and in the same order" in message
    assert fix is not None
    assert "calls: list[preheat.Call]" in fix


def test_a_predict_of_one_input_takes_one_call() -> None:
    class Several(preheat.Handler):
        def predict(self, text: str, calls: list[preheat.Call]) -> int:
            return 0

    [(message, fix)] = mistakes(Several)
    assert "takes a list of Call" in message
    assert fix is not None
    assert "call: preheat.Call" in fix


class TwoInputs(preheat.Handler):
    def predict(self, text: str, other: str) -> int:
        return 0


class Keyword(preheat.Handler):
    def predict(self, text: str, *, call: preheat.Call) -> int:
        return 0


class Twice(preheat.Handler):
    def predict(self, text: str, call: preheat.Call, again: preheat.Call) -> int:
        return 0


@pytest.mark.parametrize("handler", [TwoInputs, Keyword, Twice])
def test_any_other_second_parameter_is_a_mistake(handler: type[preheat.Handler]) -> None:
    [(message, _)] = mistakes(handler)
    assert message.startswith("predict takes one input, and this one takes text, ")
    assert "preheat.Call" in message


def test_a_call_is_frozen_and_so_are_its_headers() -> None:
    call: Any = Call(id="r1")
    with pytest.raises(AttributeError):
        call.id = "other"
    with pytest.raises(TypeError):
        call.headers["a"] = "b"
