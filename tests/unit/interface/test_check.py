import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import preheat
from preheat.interface.check import Mistake, check_examples, check_handler
from preheat.interface.contract import read_contract
from preheat.interface.importing import import_handler

HEADER = """\
from __future__ import annotations
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
import preheat

@dataclass
class Query:
    text: str

"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    """Write a module of handlers and return the class called Model in it."""
    monkeypatch.syspath_prepend(tmp_path)
    name = "checked_" + str(abs(hash(request.node.nodeid)))

    def write(source: str) -> type[preheat.Handler]:
        (tmp_path / f"{name}.py").write_text(HEADER + textwrap.dedent(source))
        return vars(__import__(name))["Model"]  # type: ignore[no-any-return]

    return write


def body(source: str) -> str:
    return "class Model(preheat.Handler):\n" + textwrap.indent(textwrap.dedent(source), "    ")


GOOD = "def predict(self, query: Query) -> str: ..."


@pytest.mark.parametrize(
    "source",
    [
        GOOD,
        "async def predict(self, query: Query) -> str: ...",
        "def predict(self, query: Query) -> Iterator[str]:\n    yield ''",
        "def predict(self, query: Query) -> Iterator[str]: return iter(())",
        "async def predict(self, query: Query) -> AsyncIterator[str]:\n    yield ''",
        "@preheat.batched()\ndef predict(self, queries: list[Query]) -> list[str]: ...",
        "@preheat.batched\ndef predict(self, queries: list[Query]) -> list[str]: ...",
        "@preheat.cached\n@preheat.batched\ndef predict(self, queries: list[Query]) -> list[str]: ...",
        "@preheat.batched(max_size=1)\nasync def predict(self, queries: list[Query]) -> list[str]: ...",
        "@preheat.batched(size=len)\ndef predict(self, texts: list[str]) -> list[str]: ...",
        "@preheat.batched(size=int)\ndef predict(self, sizes: list[int]) -> list[str]: ...",
        "@preheat.batched(size=lambda q, unit=4: len(q.text) / unit)\n"
        "def predict(self, queries: list[Query]) -> list[str]: ...",
        GOOD + "\ndef setup(self, ctx): ...\ndef examples(self):\n    yield Query('a')",
        GOOD + "\ndef __init__(self, size=3): ...\ndef reset(self): ...\ndef predict_one(self): ...",
        GOOD + "\ndef predicts(self): ...",
    ],
)
def test_a_right_handler_has_no_mistakes(load: Any, source: str) -> None:
    assert check_handler(load(body(source))) == ()


@pytest.mark.parametrize(
    ("source", "message", "fix"),
    [
        (
            "pass",
            r"has no predict\(\). preheat calls it for every request.",
            "def predict(self, text: str) -> str: ...",
        ),
        ("predict = 3", "predict of .* is no method: it is a int", "def predict(self,"),
        ("@staticmethod\ndef predict(query: Query) -> str: ...", "it is a staticmethod", "def predict(self,"),
        (
            "def predict(self) -> str: ...",
            "takes one input, and this one takes none",
            "def predict(self, text: str)",
        ),
        ("def predict(query: Query) -> str: ...", "takes 'query' where self belongs", "def predict(self,"),
        ("def predict(self, a: int, b: int = 1) -> str: ...", "this one takes a, b", "query: Query"),
        ("def predict(self, *a: int) -> str: ...", r"this one takes \*a", "def predict"),
        ("def predict(self, query) -> str: ...", "predict's input 'query' has no annotation", "query: str"),
        ("def predict(self, query: Query): ...", "predict's result has no annotation", "-> str:"),
        ("def predict(self, query: Qery) -> str: ...", "name 'Qery' is not defined", "import Qery"),
        ("def predict(self, query: '3 +') -> str: ...", "is no type", "def predict"),
        (
            "def predict(self, query: set[int]) -> str: ...",
            r"predict's input: set\[int\] has no JSON form",
            "list",
        ),
        (
            "def predict(self, query: Query) -> object: ...",
            "predict's result: object has no JSON form",
            "Any",
        ),
        (
            "def predict(self, query: Query) -> str:\n    yield ''",
            "predict yields.*says str",
            r"-> Iterator[str]:",
        ),
        (
            "def predict(self, query: Query) -> list[int]:\n    yield 1",
            "predict yields.*says list",
            "-> Iterator[int]:",
        ),
        (
            "@preheat.threaded\ndef predict(self, query: Query) -> str: ...",
            "@preheat.threaded has threads=None",
            "@preheat.threaded(threads=4)",
        ),
        (
            "async def predict(self, query: Query) -> str:\n    yield ''",
            "predict yields.*says str",
            "-> AsyncIterator[str]:",
        ),
        (
            "async def predict(self, query: Query) -> Iterator[str]:\n    yield ''",
            "predict yields.*Iterator",
            "-> AsyncIterator[str]:",
        ),
        (
            "def predict(self, query: Query) -> AsyncIterator[str]:\n    yield ''",
            "predict yields.*AsyncIterator",
            "-> Iterator[str]:",
        ),
        (
            "async def predict(self, query: Query) -> AsyncIterator[str]: ...",
            "without yielding",
            "without async",
        ),
        (
            "def predict(self, query: Query) -> Iterator:\n    yield ''",
            "does not say of what",
            "Iterator[str]",
        ),
        (
            "@preheat.batched()\ndef predict(self, query: Query) -> str: ...",
            "takes a list of inputs.*this one takes Query and returns str",
            "def predict(self, inputs: list[Query]) -> list[str]:",
        ),
        (
            "@preheat.batched()\ndef predict(self, query: list[Query]) -> Iterator[str]:\n    yield ''",
            "batched predict cannot yield",
            "Remove @preheat.batched",
        ),
        (
            "@preheat.batched(max_size=0)\ndef predict(self, query: list[Query]) -> list[str]: ...",
            "max_size=0",
            "@preheat.batched(max_size=32)",
        ),
        (
            "@preheat.batched(max_wait_ms=-1)\ndef predict(self, q: list[Query]) -> list[str]: ...",
            "max_wait_ms=-1",
            "@preheat.batched(max_wait_ms=5)",
        ),
        (
            "@preheat.batched(max_wait_ms=float('nan'))\ndef predict(self, q: list[Query]) -> list[str]: ...",
            "max_wait_ms=nan",
            "@preheat.batched(max_wait_ms=5)",
        ),
        (
            "@preheat.batched(size='text')\ndef predict(self, q: list[Query]) -> list[str]: ...",
            r"has size='text'; it is a function that gives the size of one input\.",
            "@preheat.batched(size=lambda query: len(query.text))",
        ),
        (
            "async def tokens(query): ...\n"
            "@preheat.batched(size=tokens)\ndef predict(self, q: list[Query]) -> list[str]: ...",
            "has an async size",
            "@preheat.batched(size=lambda query: len(query.text))",
        ),
        (
            "@preheat.batched(size=lambda: 3)\ndef predict(self, q: list[Query]) -> list[str]: ...",
            r"calls size with one input, and this one is <lambda>\(\)\.$",
            "@preheat.batched(size=lambda query: len(query.text))",
        ),
        (
            "def tokens(self, query): ...\n"
            "@preheat.batched(size=tokens)\ndef predict(self, q: list[Query]) -> list[str]: ...",
            r"this one is tokens\(self, query\)\. It is no method: it is called without self\.",
            "@preheat.batched(size=lambda query: len(query.text))",
        ),
        (
            GOOD + "\ndef setup(self): ...",
            r"setup\(self\) cannot be called",
            "def setup(self, ctx: preheat.Context)",
        ),
        (GOOD + "\ndef restore(self, a, b): ...", "restore.*cannot be called", "def restore(self, ctx"),
        (GOOD + "\ndef teardown(self): ...", "teardown.*cannot be called", "def teardown(self, ctx"),
        (GOOD + "\ndef examples(self, ctx): ...", "passes only itself", "def examples(self)"),
        (GOOD + "\nasync def setup(self, ctx): ...", "setup is async", "def setup(self, ctx"),
        (GOOD + "\nexamples = []", "examples is no method: it is a list", "def examples(self)"),
        (GOOD + "\ndef __init__(self, path): ...", "constructor of Model needs path", "def setup(self, ctx"),
        (GOOD + "\ndef set_up(self, ctx): ...", r"has set_up\(\).*Is it setup\(\)\?", "def setup"),
        (GOOD + "\ndef tearDown(self, ctx): ...", r"Is it teardown\(\)\?", "def teardown"),
        (GOOD + "\ndef example(self): ...", r"Is it examples\(\)\?", "def examples"),
    ],
)
def test_a_mistake_is_found_with_the_line_to_paste(load: Any, source: str, message: str, fix: str) -> None:
    (mistake,) = check_handler(load(body(source)))
    assert re.search(message, mistake.message), mistake.message
    assert fix in (mistake.fix or "")
    assert mistake.line is not None


def test_a_misspelt_predict_is_found_beside_the_missing_one(load: Any) -> None:
    messages = [
        mistake.message
        for mistake in check_handler(load(body("def predictt(self, query: Query) -> str: ...")))
    ]
    assert any("has no predict()" in message for message in messages)
    assert any("Is it predict()?" in message for message in messages)


def test_every_mistake_is_listed_in_the_order_of_lines(load: Any) -> None:
    model = load(
        body(
            """
            def __init__(self, path): ...
            def setup(self): ...
            def predict(self, query) : ...
            def teardwon(self, ctx): ...
            """
        )
    )
    lines = [mistake.line for mistake in check_handler(model)]
    assert len(lines) == 5
    assert lines == sorted(line or 0 for line in lines)


def test_the_line_of_a_field_is_that_of_the_field(load: Any) -> None:
    model = load(
        "@dataclass\nclass Wrong:\n    good: int\n    bad: set[int]\n\n"
        + body("def predict(self, q: Wrong) -> Wrong: ...")
    )
    (mistake,) = check_handler(model)
    assert mistake.message == "Wrong.bad: set[int] has no JSON form."
    assert mistake.line == HEADER.count("\n") + 4


def test_a_class_that_is_no_handler_is_told_to_derive_from_it() -> None:
    class Model:
        def predict(self, text: str) -> str:
            return text

    (mistake,) = check_handler(Model)
    assert mistake.message.endswith("Model does not derive from preheat.Handler.")
    assert check_handler("Model")[0].message == "'Model' does not derive from preheat.Handler."


def test_an_abstract_class_names_what_it_lacks(load: Any) -> None:
    model = load(
        "import abc\n" + body("@abc.abstractmethod\n" + GOOD).replace("Handler)", "Handler, abc.ABC)")
    )
    assert "is abstract: it lacks predict" in check_handler(model)[0].message


class Doubler(preheat.Handler):
    def predict(self, number: int) -> Iterator[int]:
        yield number * 2

    def examples(self) -> list[Any]:
        return [1, "2", 3, [4]]


def test_examples_that_do_not_fit_are_named() -> None:
    contract = read_contract(Doubler, "doubler:Doubler")
    assert [mistake.message for mistake in check_examples(contract, Doubler())] == [
        "examples()[1] does not fit int: expected int, got str.",
        "examples()[3] does not fit int: expected int, got list.",
    ]


def test_the_contract_lists_every_mistake_with_its_fix(load: Any) -> None:
    model = load(body("def predict(self, query: set[int]) -> str: ...\ndef setup(self): ..."))
    with pytest.raises(preheat.HandlerError) as caught:
        read_contract(model, "handler:Model")
    assert caught.value.message.startswith("Handler 'handler:Model' has 2 mistakes.\n")
    assert "def setup(self, ctx: preheat.Context) -> None:" in (caught.value.hint or "")


def test_an_import_that_needs_no_file_still_has_mistakes() -> None:
    namespace: dict[str, Any] = {"preheat": preheat, "__name__": "typed_in"}
    exec("class Model(preheat.Handler):\n    pass", namespace)
    (mistake,) = check_handler(namespace["Model"])
    assert isinstance(mistake, Mistake)
    assert mistake.line is None


def test_the_handler_module_may_be_a_package_member(load: Any, tmp_path: Path) -> None:
    folder = tmp_path / "checked_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "inner.py").write_text(HEADER + body(GOOD))
    load(body(GOOD))
    assert import_handler("checked_package.inner:Model").__module__ == "checked_package.inner"
