import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.handlers import Started, context

from preheat.errors import BadInput, HandlerError
from preheat.interface.call import WARM_UP
from preheat.interface.check import check_handler
from preheat.interface.contract import HandlerContract, read_contract
from preheat.interface.importing import import_handler

SOURCE = '''
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import preheat


def words(text: str) -> list[str]:
    """Splits a text."""
    return text.split()


def cut(text: str, limit: int = 2, ends: list[str] = ["."]) -> str:
    return text[:limit] + ends[0]


def count(first: int) -> Iterator[int]:
    yield from range(first, 0, -1)


async def later(number: float) -> float:
    return number / 2


async def slowly(number: int) -> AsyncIterator[int]:
    yield number


@preheat.cached(entries=8)
@preheat.batched(max_size=8)
def lengths(texts: list[str]) -> list[int]:
    return [len(text) for text in texts]


def who(text: str, call: preheat.Call) -> str:
    return call.id


def at_end(text: str, limit: int, call: preheat.Call) -> str:
    return f"{call.id} {text[:limit]}"


def placed(first: int, /, second: int, *, third: int = 1) -> list[int]:
    return [first, second, third]


def keyword(*, text: str) -> str:
    return text


cut.examples = [{"text": "abcd"}, {"text": "ab", "limit": 1, "ends": ["!"]}]
words.examples = ["a b"]
count.examples = [2]
placed.examples = [{"first": 1}]


def untyped(text):
    return text


def odd(text: str, other: object) -> str:
    return text


def loose(*texts: str) -> str:
    return ""


def half(text, limit: int) -> str:
    return ""


CONSTANT = 3
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A project with the functions above in texts.py and in a package."""
    (tmp_path / "texts.py").write_text(SOURCE)
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside/__init__.py").touch()
    (tmp_path / "inside/deep.py").write_text("def one(x: int) -> int:\n    return x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "preheat_handlers.function:texts"
    for name in ("texts", "inside", "inside.deep"):
        sys.modules.pop(name, None)


def contract(reference: str) -> HandlerContract:
    return read_contract(import_handler(reference), reference)


def test_a_function_of_one_parameter_takes_the_input_itself(module: str, tmp_path: Path) -> None:
    started = Started(import_handler(f"{module}.words"), context(tmp_path))
    assert started.ask("a b") == ["a", "b"]
    assert (started.contract.title, started.contract.description) == ("words", "Splits a text.")
    assert started.contract.input.schema["type"] == "string"


def test_one_of_several_takes_an_object_with_their_defaults(module: str, tmp_path: Path) -> None:
    started = Started(import_handler(f"{module}.cut"), context(tmp_path))
    assert started.contract.input.schema["required"] == ["text"]
    assert started.ask({"text": "abcd"}) == "ab."
    assert started.ask({"text": "abcd", "limit": 3, "ends": ["!"]}) == "abc!"
    with pytest.raises(BadInput, match="text"):
        started.ask({"limit": 1})


def test_it_may_stream_be_async_or_both(module: str, tmp_path: Path) -> None:
    assert Started(import_handler(f"{module}.count"), context(tmp_path)).ask(2) == [2, 1]
    kinds = {name: contract(f"{module}.{name}") for name in ("later", "slowly", "count", "words")}
    assert {name: (each.is_async, each.is_stream) for name, each in kinds.items()} == {
        "later": (True, False),
        "slowly": (True, True),
        "count": (False, True),
        "words": (False, False),
    }


def test_decorators_hold(module: str, tmp_path: Path) -> None:
    started = Started(import_handler(f"{module}.lengths"), context(tmp_path))
    assert started.contract.batching is not None
    assert started.contract.caching is not None
    assert started.ask("a", "bc") == [1, 2]


def test_it_may_ask_which_request_it_is(module: str) -> None:
    found = contract(f"{module}.who")
    assert found.takes_call
    assert found.input.schema["type"] == "string"


def test_a_module_in_a_package_is_reached_by_its_dots(module: str, tmp_path: Path) -> None:
    started = Started(import_handler("preheat_handlers.function:inside.deep.one"), context(tmp_path))
    assert started.ask(3) == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("texts.nosuch", "texts has no 'nosuch'"),
        ("texts.CONSTANT", "texts has a int, and no function, 'CONSTANT'"),
        ("texts.loose", r"loose takes \*texts: "),
        ("texts.half", "The parameter 'text' of half has no annotation"),
        ("gone.words", "There is no module 'gone' beside preheat.toml"),
    ],
)
def test_what_is_no_handler_is_said(module: str, name: str, message: str) -> None:
    with pytest.raises(HandlerError, match=message):
        import_handler(f"preheat_handlers.function:{name}")


def test_parameters_by_place_and_by_keyword_alone_get_their_values(module: str, tmp_path: Path) -> None:
    placed = Started(import_handler(f"{module}.placed"), context(tmp_path))
    assert placed.ask({"first": 1, "second": 2}) == [1, 2, 1]
    assert placed.ask({"first": 1, "second": 2, "third": 3}) == [1, 2, 3]
    assert Started(import_handler(f"{module}.keyword"), context(tmp_path)).ask("a") == "a"


def test_the_call_may_stand_behind_several_inputs(module: str) -> None:
    found = contract(f"{module}.at_end")
    given = found.input.decode({"text": "abc", "limit": 2})
    assert found.handler().predict(given, WARM_UP) == f"{WARM_UP.id} ab"  # type: ignore[attr-defined]


def test_its_examples_are_inputs_by_their_parameters(module: str, tmp_path: Path) -> None:
    cut = Started(import_handler(f"{module}.cut"), context(tmp_path))
    assert [cut.handler.predict(each) for each in cut.handler.examples()] == ["ab.", "a!"]  # type: ignore[attr-defined]
    for name, examples in (("words", ["a b"]), ("count", [2]), ("later", [])):
        found = import_handler(f"{module}.{name}")
        assert check_handler(found) == ()
        assert list(found().examples()) == examples


def test_examples_that_it_does_not_take_are_said(module: str) -> None:
    with pytest.raises(HandlerError, match=r"placed\.examples are not what placed takes: .*'second'"):
        import_handler(f"{module}.placed")().examples()


@pytest.mark.parametrize(
    ("name", "message", "fix"),
    [
        ("untyped", "untyped's input 'text' has no annotation", "def untyped(text: str) -> ...:"),
        ("odd", "OddInput.other: object has no JSON form.", None),
    ],
)
def test_a_mistake_is_told_of_the_users_own_line(
    module: str, name: str, message: str, fix: str | None
) -> None:
    found = check_handler(import_handler(f"{module}.{name}"))
    line = 1 + next(
        number for number, text in enumerate(SOURCE.splitlines()) if text.startswith(f"def {name}(")
    )
    assert found[0].message.startswith(message)
    assert fix in (None, found[0].fix)
    assert {mistake.line for mistake in found} == {line}


def test_a_missing_annotation_is_a_mistake_of_the_users_file(module: str) -> None:
    found: Any = import_handler(f"{module}.untyped")
    assert found.__module__ == "texts"
    messages = [mistake.message for mistake in check_handler(found)]
    assert any("input 'text' has no annotation" in message for message in messages)
