import asyncio
import logging
import threading
from typing import Any

import numpy
import pytest
from tests.fakes.engine import FakeEngine, Stalled
from tests.fakes.tensors import BATCHED, TENSOR, tensor

from preheat.errors import BadInput, HandlerFailed, NotFound, NotOffered, Overloaded
from preheat.interface.media import NPY
from preheat.interface.message import Engine, Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.inference.model import ITEMS_AT_ONCE, InferenceModel, Refused, aside
from preheat.runtime.inference.npy import read_npy, write_npy
from preheat.runtime.inference.tensors import Tensor

pytestmark = pytest.mark.anyio


def model(engine: Engine, document: Any = BATCHED) -> InferenceModel:
    return InferenceModel(engine=engine, document=document, name="echo", version="3")


def column(count: int) -> dict[str, Tensor]:
    return {"input": tensor(numpy.arange(count, dtype="float32").reshape(count, 1), "input")}


def ignore(_: Response) -> None:
    pass


async def infer(engine: Engine, count: int) -> Tensor:
    inferred = await model(engine).infer(column(count), [], Request(body=b"", id="r"), ignore)
    return inferred.outputs[0]


class Crowd:
    """Answers when nobody else has come for a while; counts how many wait together at most."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def __call__(self, request: Request) -> Response:
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(5):
            await asyncio.sleep(0)
        self.now -= 1
        return Response(content_type=NPY, body=request.body)


async def test_items_run_together_and_come_back_in_order() -> None:
    crowd = Crowd()
    output = await infer(FakeEngine(crowd), 50)
    assert output.values() == list(range(50))
    assert crowd.most == ITEMS_AT_ONCE


async def test_every_item_has_an_id_of_its_own() -> None:
    engine = FakeEngine()
    await infer(engine, 3)
    assert [request.id for request in engine.requests] == ["r", "r-1", "r-2"]


async def test_the_first_refusal_ends_the_request_and_cancels_the_others() -> None:
    stalled = Stalled()

    async def answer(request: Request) -> Response:
        if request.id == "r-1":
            await stalled.begun.wait()
            return problem_response(Overloaded("Full.", retry_after_s=2.0))
        return await stalled(request)

    with pytest.raises(Refused) as refused:
        await infer(FakeEngine(answer), 3)
    assert (refused.value.answer.status, refused.value.reason) == (429, "Full.")
    assert stalled.cancelled.is_set()


async def test_a_refusal_names_every_place_that_is_wrong() -> None:
    async def answer(_: Request) -> Response:
        errors = [("/a", "is bad"), ("/b", "is worse")]
        return problem_response(BadInput("It does not fit at /a: is bad (and 1 more).", errors=errors))

    with pytest.raises(Refused) as refused:
        await infer(FakeEngine(answer), 1)
    assert refused.value.reason == "It does not fit at /a: is bad (and 1 more). /b: is worse"


async def test_an_error_that_is_no_problem_document_tells_nothing_of_its_inside() -> None:
    async def answer(_: Request) -> Response:
        return Response(status=500, content_type="text/html", body=b"<secret>")

    with pytest.raises(Refused) as refused:
        await infer(FakeEngine(answer), 1)
    assert refused.value.reason == "The request failed inside the server."


async def test_results_that_make_no_tensor_are_logged_with_the_requests_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def answer(request: Request) -> Response:
        size = int(read_npy(request.body, "input", "FP32").values()[0])
        return Response(content_type=NPY, body=write_npy(tensor(numpy.zeros(size, "float32"))))

    with caplog.at_level(logging.ERROR, "preheat.inference"), pytest.raises(HandlerFailed):
        await infer(FakeEngine(answer), 3)
    (record,) = caplog.records
    assert "different shapes" in record.getMessage()
    assert record.__dict__["request_id"] == "r"


async def test_an_unknown_output_is_refused_before_the_model_runs() -> None:
    engine = FakeEngine()
    with pytest.raises(BadInput, match="There is no output 'zzz'; there are output"):
        await model(engine).infer(column(1), ["zzz"], Request(body=b"", id="r"), ignore)
    assert engine.requests == []


async def test_every_answer_of_the_engine_is_reported() -> None:
    seen: list[Response] = []
    await model(FakeEngine()).infer(column(3), [], Request(body=b"", id="r"), seen.append)
    assert len(seen) == 3


@pytest.mark.parametrize(("name", "version"), [("zzz", ""), ("echo", "4"), ("", "")])
def test_another_model_or_version_is_not_found(name: str, version: str) -> None:
    with pytest.raises(NotFound):
        model(FakeEngine()).check_name(name, version)


def test_without_a_version_the_one_that_is_served_is_meant() -> None:
    model(FakeEngine()).check_name("echo", "")
    model(FakeEngine()).check_name("echo", "3")


def test_a_handler_that_streams_is_not_offered() -> None:
    with pytest.raises(NotOffered, match="streams"):
        model(FakeEngine(), TENSOR | {"stream": True}).check_offered()


async def test_large_tensors_are_translated_beside_the_event_loop() -> None:
    here = threading.get_ident()
    assert await aside(1, threading.get_ident) == here
    assert await aside(10**7, threading.get_ident) != here
