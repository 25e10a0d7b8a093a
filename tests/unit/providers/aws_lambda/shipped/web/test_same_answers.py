"""The hot path answers an event exactly as the whole surface behind Mangum does."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.fakes.lambda_events import Context, load_balancer, version_1, version_2
from tests.fakes.lambda_function import function_of

import preheat
from preheat.interface.manifest import Limits
from preheat_providers.aws_lambda.shipped.function import Function
from preheat_providers.aws_lambda.shipped.looping import Loop

MAKERS: dict[str, Callable[..., dict[str, Any]]] = {
    "v2": version_2,
    "v1": version_1,
    "alb": load_balancer,
    "alb, repeated headers": lambda *args: load_balancer(*args, multiple=True),
}
TIMES = ("x-preheat-queue-ms", "x-preheat-model-ms")
JSON = {"content-type": "application/json"}


@dataclass
class Query:
    text: str
    times: int = 1


class Shout(preheat.Handler):
    def predict(self, query: Query) -> dict[str, str]:
        if query.text == "raise":
            raise RuntimeError("the password is hunter2")
        if query.text == "refuse":
            raise preheat.BadInput("Not this one.")
        return {"text": query.text.upper() * query.times}


class Squares(preheat.Handler):
    @preheat.batched(max_size=4, max_wait_ms=20)
    def predict(self, numbers: list[int]) -> list[int]:
        if 13 in numbers:
            raise ValueError("unlucky")
        return [number * number for number in numbers]


class Sized(preheat.Handler):
    @preheat.batched(max_size=4, max_wait_ms=20, size=lambda text: 1 / (len(text) - 1))
    def predict(self, texts: list[str]) -> list[str]:
        return texts


class Round(preheat.Handler):
    def predict(self, file: preheat.File) -> preheat.File:
        return preheat.File(file.data[::-1], file.media_type)


class Vector(preheat.Handler):
    def predict(self, text: str) -> Annotated[NDArray[np.float32], preheat.Tensor("float32", (3,))]:
        return np.array([len(text), 0.1, 1e30], dtype=np.float32)


class Slow(preheat.Handler):
    async def predict(self, text: str) -> str:
        return text[::-1]


class Counts(preheat.Handler):
    def predict(self, upto: int) -> Iterator[int]:
        yield from range(upto)


class CountsSlowly(preheat.Handler):
    async def predict(self, upto: int) -> AsyncIterator[int]:
        for number in range(upto):
            yield number


class Keeps(preheat.Handler):
    @preheat.cached(entries=4)
    def predict(self, text: str) -> str:
        return text


Case = tuple[type[preheat.Handler], bytes, dict[str, str]]

CASES: dict[str, Case] = {
    "an answer": (Shout, b'{"text": "hello"}', JSON),
    "unicode": (Shout, '{"text": "z\u00fcrich \u65e5\u672c"}'.encode(), JSON),
    "an input that does not fit": (Shout, b'{"txt": "hello"}', JSON),
    "no JSON": (Shout, b'{"text": ', JSON),
    "no body": (Shout, b"", JSON),
    "no UTF-8": (Shout, b'"\xff"', JSON),
    "no type": (Shout, b'{"text": "hello"}', {}),
    "another type": (Shout, b"text=hello", {"content-type": "application/x-www-form-urlencoded"}),
    "a type in latin-1": (Shout, b"x", {"content-type": "text/z\u00fcrich"}),
    "compressed": (Shout, b"x", {**JSON, "content-encoding": "gzip"}),
    "a failure": (Shout, b'{"text": "raise"}', JSON),
    "a refusal": (Shout, b'{"text": "refuse"}', JSON),
    "too long": (Shout, b'{"text": "%s"}' % (b"x" * 3000), JSON),
    "a length that is a lie": (Shout, b'{"text": "a"}', {**JSON, "content-length": "99999"}),
    "a length that is no number": (Shout, b'{"text": "a"}', {**JSON, "content-length": "many"}),
    "a time limit": (Shout, b'{"text": "hello"}', {**JSON, "x-preheat-timeout-s": "2"}),
    "a bad time limit": (Shout, b'{"text": "hello"}', {**JSON, "x-preheat-timeout-s": "soon"}),
    "a bad id": (Shout, b'{"text": "hello"}', {**JSON, "x-request-id": "no\u00efd \n"}),
    "a batch": (Squares, b"12", JSON),
    "a failing batch": (Squares, b"13", JSON),
    "a size that fails": (Sized, b'"a"', JSON),
    "a size": (Sized, b'"abc"', JSON),
    "a file": (Round, b"\x89PNG\x00\xff", {"content-type": "image/png"}),
    "a text file": (Round, b"abc", {"content-type": "text/csv; charset=utf-8"}),
    "XML": (Round, b"<a/>", {"content-type": "application/xml"}),
    "text that is no UTF-8": (Round, b"\xff\xfe", {"content-type": "text/plain"}),
    "an empty file": (Round, b"", {"content-type": "image/png"}),
    "a tensor": (Vector, b'"abc"', JSON),
    "a tensor as NPY": (Vector, b'"abc"', {**JSON, "accept": "application/x-npy"}),
    "async": (Slow, b'"abc"', JSON),
    "a stream": (Counts, b"3", JSON),
    "server-sent events": (Counts, b"3", {**JSON, "accept": "text/event-stream"}),
    "an async stream": (CountsSlowly, b"3", JSON),
    "an empty stream": (Counts, b"0", JSON),
    "a kept answer": (Keeps, b'"abc"', JSON),
}


@pytest.fixture(scope="module")
def functions(loop: Loop) -> Callable[[type[preheat.Handler]], Function]:
    made: dict[type[preheat.Handler], Function] = {}

    def get(handler: type[preheat.Handler]) -> Function:
        if handler not in made:
            made[handler] = function_of(handler, loop, limits=Limits(body_bytes=2000, timeout_s=30))
        return made[handler]

    return get


def compared(answer: Any) -> Any:
    """Return an answer without what differs from call to call, and without the length of a stream."""
    headers = dict(
        answer.get("headers") or {name: value for name, (value,) in answer["multiValueHeaders"].items()}
    )
    for name in (*TIMES, "connection"):  # there is no connection here that a refusal could close
        headers.pop(name, None)
    if headers.get("x-accel-buffering"):
        headers.pop("content-length", None)
    shape = {name: value for name, value in answer.items() if name not in ("headers", "multiValueHeaders")}
    return shape | {"headers": headers, "keys": sorted(answer)}


@pytest.mark.parametrize("way", MAKERS)
@pytest.mark.parametrize("case", CASES)
def test_an_inference_is_answered_as_the_surface_answers_it(
    functions: Callable[[type[preheat.Handler]], Function], case: str, way: str
) -> None:
    handler, body, headers = CASES[case]
    function = functions(handler)
    event = MAKERS[way]("/invocations", body, headers)
    if handler is Keeps:
        function.handle(event, Context())  # so that both find it kept
    ours = function.handle(event, Context())
    surface = function.web()(event, Context())
    assert compared(ours) == compared(surface)


def test_predict_is_invocations_by_another_name(
    functions: Callable[[type[preheat.Handler]], Function],
) -> None:
    function = functions(Shout)
    answers = [
        function.handle(version_2(path, b'{"text": "a"}', JSON), Context())
        for path in ("/invocations", "/predict")
    ]
    assert compared(answers[0]) == compared(answers[1])


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic eDp5"}])
@pytest.mark.parametrize("way", MAKERS)
def test_who_has_no_token_learns_the_same(loop: Loop, way: str, headers: dict[str, str]) -> None:
    function = function_of(Shout, loop, token_sha256=hashlib.sha256(b"secret").hexdigest())
    event = MAKERS[way]("/invocations", b'{"text": "a"}', {**JSON, **headers})
    answer = function.handle(event, Context())
    assert answer["statusCode"] == 401
    assert compared(answer) == compared(function.web()(event, Context()))


def test_who_has_the_token_is_answered(loop: Loop) -> None:
    function = function_of(Shout, loop, token_sha256=hashlib.sha256(b"secret").hexdigest())
    event = version_2("/invocations", b'{"text": "a"}', {**JSON, "Authorization": "Bearer secret"})
    assert json.loads(function.handle(event, Context())["body"]) == {"text": "A"}
