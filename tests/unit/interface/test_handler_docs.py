"""The examples of docs/handler.md run, and answer as the page says."""

import json
import re
import sys
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import PIL.Image
import pytest

import preheat
from preheat.errors import BadInput
from preheat.interface.body import decode_body, encode_body
from preheat.interface.check import check_examples
from preheat.interface.contract import HandlerContract, read_contract
from preheat.interface.manifest import Limits
from preheat.interface.problem import problem_document

PAGE = (Path(__file__).parents[3] / "docs" / "handler.md").read_text()


@pytest.fixture(scope="module")
def page() -> Any:
    """The page's Python blocks as one module."""
    module = ModuleType("handler_page")
    sys.modules[module.__name__] = module
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/handler.md", "exec"), vars(module))
    yield module
    del sys.modules[module.__name__]


def contract_of(handler: type[preheat.Handler]) -> HandlerContract:
    return read_contract(handler, f"handler:{handler.__name__}")


def answer(
    handler: type[preheat.Handler], body: bytes, content_type: str = "application/json"
) -> tuple[str, bytes]:
    contract = contract_of(handler)
    instance: Any = handler()
    instance.setup(None)
    value = decode_body(contract.input, body, content_type, Limits())
    return encode_body(contract.output, instance.predict(value), "*/*")


def test_every_handler_on_the_page_has_a_contract_and_examples_that_fit(page: Any) -> None:
    handlers = [
        value
        for value in vars(page).values()
        if isinstance(value, type) and issubclass(value, preheat.Handler)
    ]
    assert len(handlers) == 11
    for handler in handlers:
        assert check_examples(contract_of(handler), handler()) == ()


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("Splitter", b'{"text": "a b c", "limit": 2}', b'{"words":["a","b"]}'),
        ("Area", b'{"kind": "square", "side": 3}', b"9.0"),
        ("Checksum", b'"123456789"', b"3421780262"),
        ("Unit", b"[[3, 0, 4]]", None),
        ("Sizes", b'{"title": "June", "file": {"data": "aGk="}}', b'{"June":2}'),
    ],
)
def test_the_handlers_on_the_page_answer(page: Any, name: str, body: bytes, expected: bytes | None) -> None:
    content_type, written = answer(getattr(page, name), body)
    assert content_type == "application/json"
    if expected is None:
        assert numpy.allclose(json.loads(written), [[0.6, 0, 0.8]])
    else:
        assert written == expected


def test_the_image_handler_answers_with_an_image(page: Any) -> None:
    out = BytesIO()
    PIL.Image.new("RGB", (2, 2), "black").save(out, "JPEG")
    content_type, written = answer(page.Invert, out.getvalue(), "image/jpeg")
    assert content_type == "image/png"
    assert PIL.Image.open(BytesIO(written)).getpixel((0, 0)) == (255, 255, 255)


def test_the_problem_on_the_page_is_the_one_that_is_sent(page: Any) -> None:
    shown = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
    with pytest.raises(BadInput) as caught:
        answer(page.Splitter, b'{"txt": "a"}')
    assert json.loads(json.dumps(problem_document(caught.value))) == shown
