import json
import logging
from collections.abc import Mapping
from typing import Any

import numpy
import pytest
from httpx import Response as Answer
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from tests.fakes.asgi import Exchange
from tests.fakes.engine import FakeEngine, Stalled
from tests.fakes.surface import CONTRACT, TOKEN, client, only_token, surface
from tests.fakes.tensors import BATCHED, OBJECT, TENSOR, tensor

from preheat.errors import BadInput, Overloaded
from preheat.interface.media import NPY
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.inference.npy import write_npy

pytestmark = pytest.mark.anyio

INFER = "/v2/models/echo/infer"
LENGTH = "inference-header-content-length"


def given(name: str, datatype: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


async def infer(
    inputs: list[dict[str, Any]], engine: FakeEngine | None = None, *, document: Any = TENSOR, **more: Any
) -> tuple[int, Any]:
    async with client(surface(engine or FakeEngine(), document=document)) as caller:
        answer = await caller.post(INFER, json={"inputs": inputs, **more})
    return answer.status_code, answer.json()


async def post(
    body: bytes, headers: Mapping[str, str] | None = None, engine: FakeEngine | None = None
) -> Answer:
    async with client(surface(engine or FakeEngine(), document=TENSOR)) as caller:
        return await caller.post(INFER, content=body, headers=headers)


def binary(array: "numpy.ndarray[Any, Any]", **more: Any) -> tuple[bytes, dict[str, str]]:
    """Return a body with one binary tensor, and the header that says where its JSON ends."""
    raw = array.tobytes()
    entry = {
        "name": "input",
        "datatype": "FP32",
        "shape": list(array.shape),
        "parameters": {"binary_data_size": len(raw)},
    }
    head = json.dumps({"inputs": [entry], **more}).encode()
    return head + raw, {LENGTH: str(len(head))}


async def test_a_tensor_goes_as_an_array_and_comes_back() -> None:
    engine = FakeEngine()
    status, body = await infer([given("input", "FP32", [2], [1.5, 2])], engine, id="7")
    assert (status, body["id"], body["model_name"]) == (200, "7", "echo")
    assert body["outputs"] == [given("output", "FP32", [2], [1.5, 2.0])]
    assert engine.requests[0].content_type == NPY


async def test_a_binary_tensor_goes_as_an_array_and_comes_back_binary() -> None:
    array = numpy.array([1.5, 2], "float32")
    engine = FakeEngine()
    body, headers = binary(array, parameters={"binary_data_output": True})
    answer = await post(body, headers, engine)
    length = int(answer.headers[LENGTH])
    (output,) = json.loads(answer.content[:length])["outputs"]
    assert engine.requests[0].body == write_npy(tensor(array))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert (output["shape"], output["parameters"]) == ([2], {"binary_data_size": 8})
    assert answer.content[length:] == array.tobytes()


async def test_a_binary_tensor_may_be_answered_in_json() -> None:
    answer = await post(*binary(numpy.array([1.5], "float32"), outputs=[{"name": "output"}]))
    assert answer.json()["outputs"] == [given("output", "FP32", [1], [1.5])]


async def test_the_first_axis_of_a_batched_handler_makes_items() -> None:
    engine = FakeEngine()
    status, body = await infer([given("input", "FP32", [3, 1], [1, 2, 3])], engine, document=BATCHED)
    assert (status, len(engine.requests)) == (200, 3)
    assert body["outputs"] == [given("output", "FP32", [3, 1], [1.0, 2.0, 3.0])]


async def test_the_fields_of_an_object_are_inputs_and_outputs() -> None:
    engine = FakeEngine()
    inputs = [given("v", "FP32", [1], [0.5]), given("k", "INT64", [1], [3])]
    status, body = await infer(inputs, engine, document=OBJECT, outputs=[{"name": "k"}, {"name": "v"}])
    assert json.loads(engine.requests[0].body) == {"v": [0.5], "k": 3}
    assert (status, body["outputs"]) == (200, inputs[::-1])


async def test_any_other_handler_takes_a_document_for_each_element() -> None:
    documents = ['{"text":"a"}', '{"text":"b"}']
    status, body = await infer([given("input", "BYTES", [2], documents)], document=CONTRACT)
    assert (status, body["outputs"]) == (200, [given("output", "BYTES", [2], documents)])


async def test_an_engines_problem_becomes_the_protocols_error() -> None:
    async def refuse(request: Request) -> Response:
        return problem_response(BadInput("No such word."))

    documents = [given("input", "BYTES", [2], ["1", "2"])]
    assert await infer(documents, FakeEngine(refuse), document=CONTRACT) == (400, {"error": "No such word."})


async def test_a_full_queue_says_when_to_come_back() -> None:
    async def refuse(request: Request) -> Response:
        return problem_response(Overloaded("The queue is full.", retry_after_s=3.0))

    answer = await post(*binary(numpy.ones(1, "float32")), FakeEngine(refuse))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")


async def test_results_that_make_no_tensor_are_a_logged_500(caplog: pytest.LogCaptureFixture) -> None:
    async def grow(request: Request) -> Response:
        size = 1 + request.id.endswith("-1")
        return Response(content_type=NPY, body=write_npy(tensor(numpy.zeros(size, "float32"))))

    with caplog.at_level(logging.ERROR, "preheat.inference"):
        status, body = await infer(
            [given("input", "FP32", [2, 1], [1, 2])], FakeEngine(grow), document=BATCHED
        )
    assert status == 500
    assert "Send the items one by one" in body["error"]
    assert len(caplog.records) == 1


@drawn(st.text("0123456789", max_size=5) | st.text(max_size=5), st.binary(max_size=60))
@settings(deadline=None)
async def test_any_binary_request_is_answered_with_200_or_400(length: str, blob: bytes) -> None:
    body, _ = binary(numpy.ones(2, "float32"))
    headers = {LENGTH: length.encode("utf-8").decode("latin-1")}
    try:
        answer = await post(body[: -len(blob) or None] + blob, headers)
    except UnicodeEncodeError:
        return
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert answer.json()["error"].endswith(".")


@pytest.mark.parametrize(
    ("shape", "size", "raw", "reason"),
    [
        ([2], 8, b"1234567", "binary_data_size is 8, and 7 bytes follow"),
        ([2], 4, b"1234", "2 elements of FP32 are 8 bytes, got 4"),
        ([-1], 4, b"1234", "a size in the shape is -1"),
        ([2**62, 4], 4, b"1234", "more elements than the request has bytes"),
        ([1], 4, b"12345", "1 bytes stand behind"),
    ],
)
async def test_a_malformed_binary_tensor_is_a_400_with_the_reason(
    shape: list[int], size: int, raw: bytes, reason: str
) -> None:
    entry = {"name": "input", "datatype": "FP32", "shape": shape, "parameters": {"binary_data_size": size}}
    head = json.dumps({"inputs": [entry]}).encode()
    answer = await post(head + raw, {LENGTH: str(len(head))})
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


async def test_only_what_runs_the_model_wants_the_token() -> None:
    async with client(surface(document=TENSOR, authenticate=only_token)) as caller:
        model = await caller.get("/v2/models/echo/versions/release%203")
        assert model.json()["inputs"] == [{"name": "input", "datatype": "FP32", "shape": [-1]}]
        assert (await caller.get("/v2/health/live")).status_code == 200
        refused = await caller.post(INFER, content=b"{}")
        assert (refused.status_code, list(refused.json())) == (401, ["error"])
        let_in = await caller.post(INFER, content=b"{}", headers={"authorization": f"Bearer {TOKEN}"})
        assert let_in.status_code == 400


async def test_the_limit_of_the_body_holds() -> None:
    answer = await post(bytes(1001))
    assert (answer.status_code, list(answer.json())) == (413, ["error"])


async def test_a_handler_that_streams_is_a_501() -> None:
    status, body = await infer([], document=TENSOR | {"stream": True})
    assert (status, list(body)) == (501, ["error"])


@pytest.mark.parametrize(
    "path", ["/v2/models/zzz", "/v2/models/echo/versions/9/ready", "/v2/repository/index", "/v2/models"]
)
async def test_what_there_is_not_is_a_404_of_the_protocol(path: str) -> None:
    async with client(surface(document=TENSOR)) as caller:
        answer = await caller.get(path)
    assert (answer.status_code, list(answer.json())) == (404, ["error"])


async def test_the_wrong_method_is_a_405_of_the_protocol() -> None:
    async with client(surface(document=TENSOR)) as caller:
        answer = await caller.get(INFER)
    assert (answer.status_code, answer.headers["allow"], list(answer.json())) == (405, "POST", ["error"])


async def test_readiness_is_the_engines() -> None:
    async with client(surface(FakeEngine(ready=False), document=TENSOR)) as caller:
        assert (await caller.get("/v2/health/ready")).status_code == 503
        assert (await caller.get("/v2/models/echo/ready")).status_code == 503


async def test_a_client_that_leaves_stops_every_item() -> None:
    stalled = Stalled()
    exchange = Exchange(surface(FakeEngine(stalled), document=BATCHED), path=INFER)
    inputs = [given("input", "FP32", [2, 1], [1, 2])]
    exchange.body(json.dumps({"inputs": inputs}).encode())
    await stalled.begun.wait()
    exchange.leave()
    await stalled.cancelled.wait()
    await exchange.served()
    assert exchange.sent == []


async def test_a_client_that_leaves_before_its_body_is_complete_never_reaches_the_engine() -> None:
    engine = FakeEngine()
    exchange = Exchange(surface(engine, document=TENSOR), path=INFER)
    exchange.body(b'{"inputs"', more=True)
    exchange.leave()
    await exchange.served()
    assert engine.requests == []


async def test_a_body_that_does_not_come_is_a_408_of_the_protocol() -> None:
    exchange = Exchange(surface(document=TENSOR, body_s=0.01), path=INFER)
    exchange.body(b'{"inputs"', more=True)
    await exchange.until_sent(1)
    exchange.leave()
    await exchange.served()
    assert (exchange.status, list(json.loads(exchange.answer))) == (408, ["error"])


async def test_the_callers_time_limit_reaches_the_engine() -> None:
    engine = FakeEngine()
    body, headers = binary(numpy.ones(1, "float32"))
    await post(body, headers | {"x-preheat-timeout-s": "2"}, engine)
    assert engine.requests[0].timeout_s == 2.0


async def test_requests_are_counted_under_the_route() -> None:
    async with client(surface(document=TENSOR)) as caller:
        await caller.post(INFER, json={"inputs": [given("input", "FP32", [1], [1])]})
        await caller.post(INFER, content=b"{}")
        metrics = (await caller.get("/metrics")).text
    for outcome in ("ok", "rejected"):
        assert (
            f'preheat_requests_total{{outcome="{outcome}",route="/v2/models/{{name}}/infer"}} 1.0' in metrics
        )
