import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.fakes.engine import FakeEngine
from tests.fakes.surface import CONTRACT, client, surface
from tests.fakes.tensors import BATCHED, OBJECT, TENSOR

pytestmark = pytest.mark.anyio

INFER = "/v2/models/{name}/infer"


async def answers(document: Any, inputs: list[dict[str, Any]]) -> tuple[Any, list[tuple[str, str, int, Any]]]:
    """Return the OpenAPI document, and the method, path, status and body of one call of each route."""
    app = surface(FakeEngine(), document=document)
    calls: list[tuple[str, str, Any]] = [
        ("get", "/v2", None),
        ("get", "/v2/health/live", None),
        ("get", "/v2/health/ready", None),
        ("get", "/v2/models/{name}", None),
        ("get", "/v2/models/{name}/ready", None),
        ("post", INFER, {"inputs": inputs, "id": "7"}),
        ("post", INFER, {"inputs": 3}),
    ]
    made = []
    async with client(app) as caller:
        openapi = (await caller.get("/openapi.json")).json()
        for method, path, body in calls:
            answer = await caller.request(method, path.replace("{name}", "echo"), json=body)
            made.append((method, path, answer.status_code, answer.json()))
    return openapi, made


def given(name: str, datatype: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


@pytest.mark.parametrize(
    ("document", "inputs"),
    [
        (TENSOR, [given("input", "FP32", [2], [1, 2])]),
        (BATCHED, [given("input", "FP32", [2, 1], [1, 2])]),
        (OBJECT, [given("v", "FP32", [1], [1]), given("s", "BYTES", [1], ["a"])]),
        (CONTRACT, [given("input", "BYTES", [1], ["{}"])]),
    ],
)
async def test_every_answer_is_what_the_document_says(document: Any, inputs: list[dict[str, Any]]) -> None:
    openapi, made = await answers(document, inputs)
    assert [status for *_, status, _ in made] == [200, 200, 200, 200, 200, 200, 400]
    for method, path, status, body in made:
        schema = openapi["paths"][path][method]["responses"][str(status)]["content"]["application/json"]
        validator = Draft202012Validator(schema["schema"] | {"components": openapi["components"]})
        assert list(validator.iter_errors(body)) == [], (path, status, json.dumps(body))


async def test_a_request_is_what_the_document_says() -> None:
    openapi, _ = await answers(TENSOR, [])
    schema = openapi["paths"][INFER]["post"]["requestBody"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator(schema | {"components": openapi["components"]})
    assert validator.is_valid({"inputs": [given("input", "FP32", [2], [1, 2])]})
    for wrong in (
        {},
        {"inputs": [given("input", "BF16", [2], [1])]},
        {"inputs": [given("input", "FP32", [-1], [])]},
    ):
        assert not validator.is_valid(wrong)
