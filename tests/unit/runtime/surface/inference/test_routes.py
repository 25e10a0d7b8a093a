import json
from typing import Any

import pytest
from tests.fakes.engine import FakeEngine
from tests.fakes.surface import CONTRACT, TOKEN, client, only_token, surface

from preheat.errors import BadInput
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response

pytestmark = pytest.mark.anyio

VECTOR = {
    "type": "array",
    "items": {"type": "number"},
    "x-preheat-tensor": {"dtype": "float32", "shape": [None]},
}
TENSOR = CONTRACT | {"input": VECTOR, "output": VECTOR}
BATCHED = TENSOR | {"batching": {"max_size": 4, "max_wait_ms": 0}}
OBJECT = CONTRACT | {
    "input": {
        "type": "object",
        "properties": {"v": VECTOR, "k": {"type": "integer"}, "s": {"type": "string"}},
        "required": ["v"],
    },
    "output": {"type": "object", "properties": {"v": VECTOR, "k": {"type": "integer"}}},
}


def given(name: str, datatype: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


async def infer(
    inputs: list[dict[str, Any]], engine: FakeEngine | None = None, *, document: Any = TENSOR, **more: Any
) -> tuple[int, Any]:
    async with client(surface(engine or FakeEngine(), document=document)) as caller:
        answer = await caller.post("/v2/models/echo/infer", json={"inputs": inputs, **more})
    return answer.status_code, answer.json()


async def test_a_tensor_goes_as_an_array_and_comes_back() -> None:
    engine = FakeEngine()
    status, body = await infer([given("input", "FP32", [2], [1.5, 2])], engine, id="7")
    assert (status, body["id"], body["model_name"]) == (200, "7", "echo")
    assert body["outputs"] == [given("output", "FP32", [2], [1.5, 2.0])]
    assert engine.requests[0].content_type == "application/x-npy"


async def test_a_leading_dimension_of_a_batched_handler_makes_items() -> None:
    engine = FakeEngine()
    status, body = await infer([given("input", "FP32", [3, 1], [1, 2, 3])], engine, document=BATCHED)
    assert (status, len(engine.requests)) == (200, 3)
    assert len({request.id for request in engine.requests}) == 3
    assert body["outputs"] == [given("output", "FP32", [3, 1], [1.0, 2.0, 3.0])]


async def test_without_batching_another_dimension_is_refused() -> None:
    status, body = await infer([given("input", "FP32", [1, 1], [1])])
    assert status == 400
    assert "expected [-1]" in body["error"]


async def test_the_fields_of_an_object_are_inputs_and_outputs() -> None:
    engine = FakeEngine()
    inputs = [given("v", "FP32", [1], [0.5]), given("k", "INT64", [1], [3])]
    status, body = await infer(inputs, engine, document=OBJECT)
    assert json.loads(engine.requests[0].body) == {"v": [0.5], "k": 3}
    assert status == 200
    assert body["outputs"] == inputs


async def test_any_other_handler_takes_a_document_for_each_element() -> None:
    engine = FakeEngine()
    documents = ['{"text":"a"}', '{"text":"b"}']
    status, body = await infer([given("input", "BYTES", [2], documents)], engine, document=CONTRACT)
    assert (status, len(engine.requests)) == (200, 2)
    assert body["outputs"] == [given("output", "BYTES", [2], documents)]


async def test_an_engines_problem_becomes_the_protocols_error() -> None:
    async def refuse(request: Request) -> Response:
        return problem_response(BadInput("No such word."))

    documents = [given("input", "BYTES", [2], ["1", "2"])]
    assert await infer(documents, FakeEngine(refuse), document=CONTRACT) == (400, {"error": "No such word."})


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ([], "'input' is missing"),
        ([given("other", "FP32", [1], [1])], "no input 'other'"),
        ([given("input", "FP64", [1], [1])], "is FP32, got FP64"),
        ([given("input", "FP32", [1], [1])] * 2, "there twice"),
    ],
)
async def test_inputs_that_do_not_fit_are_refused(inputs: list[dict[str, Any]], reason: str) -> None:
    status, body = await infer(inputs)
    assert status == 400
    assert reason in body["error"]


async def test_an_unknown_output_is_refused_before_the_model_runs() -> None:
    engine = FakeEngine()
    status, body = await infer([given("input", "FP32", [1], [1])], engine, outputs=[{"name": "zzz"}])
    assert (status, engine.requests) == (400, [])
    assert "no output 'zzz'" in body["error"]


async def test_only_what_runs_the_model_wants_the_token() -> None:
    async with client(surface(document=TENSOR, authenticate=only_token)) as caller:
        model = await caller.get("/v2/models/echo/versions/release%203")
        assert model.json()["inputs"] == [{"name": "input", "datatype": "FP32", "shape": [-1]}]
        assert (await caller.get("/v2/health/live")).status_code == 200
        refused = await caller.post("/v2/models/echo/infer", content=b"{}")
        assert (refused.status_code, list(refused.json())) == (401, ["error"])
        let_in = await caller.post(
            "/v2/models/echo/infer", content=b"{}", headers={"authorization": f"Bearer {TOKEN}"}
        )
        assert let_in.status_code == 400


async def test_the_limit_of_the_body_holds() -> None:
    async with client(surface(document=TENSOR)) as caller:
        answer = await caller.post("/v2/models/echo/infer", content=bytes(1001))
    assert (answer.status_code, list(answer.json())) == (413, ["error"])


async def test_another_model_and_another_version_are_not_found() -> None:
    async with client(surface(document=TENSOR)) as caller:
        for path in ("/v2/models/zzz", "/v2/models/echo/versions/9/ready"):
            answer = await caller.get(path)
            assert (answer.status_code, list(answer.json())) == (404, ["error"])


async def test_readiness_is_the_engines() -> None:
    async with client(surface(FakeEngine(ready=False), document=TENSOR)) as caller:
        assert (await caller.get("/v2/health/ready")).status_code == 503
        assert (await caller.get("/v2/models/echo/ready")).status_code == 503
