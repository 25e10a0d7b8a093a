"""The Open Inference Protocol with the clients that people have for it: tritonclient, over HTTP and gRPC."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
import tritonclient.grpc as over_grpc
import tritonclient.http as over_http
from tests.fakes.local import Local
from tests.fakes.numpy_layer import link_numpy
from tests.fakes.ports import free_port
from tests.fakes.protocol_handlers import BATCHED, TENSORS, TYPED, contract
from tritonclient.utils import InferenceServerException

from preheat.errors import ProviderError
from preheat.interface.manifest import Limits
from preheat.project.model import HttpTrigger
from preheat.provider.protocol import Deployment

pytestmark = pytest.mark.runtime

Array = numpy.ndarray[Any, Any]

FLOATS = numpy.arange(6, dtype="float32").reshape(2, 3)
INTS = numpy.array([1, -2, 2**40], "int64")
MASK = numpy.array([True, False])


class Kind:
    """One of the two clients; they differ in a few arguments only."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.http = module is over_http

    def tensor(self, name: str, array: Array, datatype: str, *, binary: bool = True) -> Any:
        made = self.module.InferInput(name, list(array.shape), datatype)
        made.set_data_from_numpy(array, **({"binary_data": binary} if self.http else {}))
        return made

    def output(self, name: str, *, binary: bool = True) -> Any:
        return self.module.InferRequestedOutput(name, **({"binary_data": binary} if self.http else {}))

    def client(self, deployed: "Deployed") -> Any:
        address = deployed.made.endpoint.removeprefix("http://") if self.http else deployed.grpc
        return self.module.InferenceServerClient(address)


class Deployed:
    """One function that serves both."""

    def __init__(self, folder: Path, source: str, **overrides: Any) -> None:
        self.local = Local(folder)
        port = free_port()
        self.grpc = f"127.0.0.1:{port}"
        self.local.configure(
            limits=Limits(body_bytes=100_000, timeout_s=20.0, setup_s=60.0),
            provider={"local": {"grpc_port": port}},
            **overrides,
        )
        self.source = source
        self.local.contract = contract(source)
        link_numpy(self.local.bundle(source))
        self.made: Deployment = self.local.deploy(source)


def deployed(factory: pytest.TempPathFactory, source: str) -> Iterator[Deployed]:
    function = Deployed(factory.mktemp("local"), source)
    yield function
    function.local.client.shut_down()


@pytest.fixture(scope="module")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    yield from deployed(tmp_path_factory, TENSORS)


@pytest.fixture(scope="module")
def batched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    yield from deployed(tmp_path_factory, BATCHED)


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    yield from deployed(tmp_path_factory, TYPED)


@pytest.fixture(params=[over_http, over_grpc], ids=["http", "grpc"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return Kind(request.param)


def given(kind: Kind, *, binary: bool = True) -> list[Any]:
    return [
        kind.tensor("floats", FLOATS, "FP32", binary=binary),
        kind.tensor("ints", INTS, "INT64", binary=binary),
        kind.tensor("mask", MASK, "BOOL", binary=binary),
        kind.tensor("scale", numpy.array([2.0]), "FP64", binary=binary),
    ]


def documents(kind: Kind, *values: Any) -> Any:
    return kind.tensor("input", numpy.array([json.dumps(each).encode() for each in values], object), "BYTES")


def test_the_server_and_the_model_are_live_ready_and_described(tensors: Deployed, kind: Kind) -> None:
    with kind.client(tensors) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("demo")
        assert client.is_model_ready("demo", "1")
        options = {} if kind.http else {"as_json": True}
        server = client.get_server_metadata(**options)
        model = client.get_model_metadata("demo", **options)
    assert server["name"] == "preheat"
    assert (model["name"], model["versions"], model["platform"]) == ("demo", ["1"], "preheat")
    inputs = {
        each["name"]: (each["datatype"], [int(size) for size in each["shape"]]) for each in model["inputs"]
    }
    assert inputs == {
        "floats": ("FP32", [-1, 3]),
        "ints": ("INT64", [-1]),
        "mask": ("BOOL", [-1]),
        "scale": ("FP64", [1]),
    }
    assert {each["name"] for each in model["outputs"]} == {"scaled", "sums", "inverse", "label"}


@pytest.mark.parametrize("sent_binary", [True, False])
@pytest.mark.parametrize("answered_binary", [True, False])
def test_tensors_of_every_kind_go_in_and_come_out(
    tensors: Deployed, kind: Kind, sent_binary: bool, answered_binary: bool
) -> None:
    outputs = [kind.output(name, binary=answered_binary) for name in ("scaled", "sums", "inverse", "label")]
    with kind.client(tensors) as client:
        answer = client.infer("demo", given(kind, binary=sent_binary), outputs=outputs, request_id="r-7")
    assert (answer.as_numpy("scaled").dtype, answer.as_numpy("scaled").tolist()) == (
        numpy.float32,
        (FLOATS * 2).tolist(),
    )
    assert answer.as_numpy("sums").tolist() == [1, -1, 2**40 - 1]
    assert answer.as_numpy("inverse").tolist() == [False, True]
    assert answer.as_numpy("label").tolist() in ([b"3 numbers"], ["3 numbers"])
    response = answer.get_response()
    assert (response["id"] if kind.http else response.id) == "r-7"


def test_without_a_choice_every_output_comes_and_with_one_only_that(tensors: Deployed, kind: Kind) -> None:
    with kind.client(tensors) as client:
        everything = client.infer("demo", given(kind))
        chosen = client.infer("demo", given(kind), outputs=[kind.output("sums")])
    names = ("scaled", "sums", "inverse", "label")
    assert [everything.as_numpy(name) is not None for name in names] == [True] * 4
    assert [chosen.as_numpy(name) is not None for name in names] == [False, True, False, False]


@pytest.mark.parametrize(
    ("model", "name", "array", "datatype", "reason"),
    [
        ("zzz", "floats", FLOATS, "FP32", "There is no model 'zzz'"),
        ("demo", "zzz", FLOATS, "FP32", "There is no input 'zzz'; there are floats, ints, mask, scale"),
        ("demo", "floats", FLOATS.astype("float64"), "FP64", "Input 'floats' is FP32, got FP64"),
        ("demo", "floats", FLOATS.reshape(3, 2), "FP32", "has the shape [3, 2], expected [-1, 3]"),
        ("demo", "floats", FLOATS * numpy.float32("nan"), "FP32", "expected finite numbers, got NaN"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(
    tensors: Deployed, kind: Kind, model: str, name: str, array: Any, datatype: str, reason: str
) -> None:
    inputs = [kind.tensor(name, array, datatype), *given(kind)[1:]]
    with kind.client(tensors) as client, pytest.raises(InferenceServerException) as refused:
        client.infer(model, inputs)
    assert reason in refused.value.message()
    expected = (
        {True: "404", False: "StatusCode.NOT_FOUND"}
        if model == "zzz"
        else {
            True: "400",
            False: "StatusCode.INVALID_ARGUMENT",
        }
    )
    assert refused.value.status() == expected[kind.http]


def test_an_output_that_there_is_not_is_refused(tensors: Deployed, kind: Kind) -> None:
    with kind.client(tensors) as client, pytest.raises(InferenceServerException, match="no output 'zzz'"):
        client.infer("demo", given(kind), outputs=[kind.output("zzz")])


def test_a_request_over_the_limit_is_refused(tensors: Deployed, kind: Kind) -> None:
    large = numpy.zeros((20_000, 3), "float32")
    with kind.client(tensors) as client, pytest.raises(InferenceServerException) as refused:
        client.infer("demo", [kind.tensor("floats", large, "FP32"), *given(kind)[1:]])
    assert refused.value.status() == ("413" if kind.http else "StatusCode.RESOURCE_EXHAUSTED")


def test_a_call_that_the_protocol_does_not_offer_is_an_error_of_the_client(
    tensors: Deployed, kind: Kind
) -> None:
    with kind.client(tensors) as client, pytest.raises(InferenceServerException):
        client.get_model_repository_index()


def test_requests_that_do_not_wait_for_one_another(batched: Deployed, kind: Kind) -> None:
    rows = [numpy.array([number, -number], "float32") for number in range(20)]
    if kind.http:
        client = over_http.InferenceServerClient(batched.made.endpoint.removeprefix("http://"), concurrency=8)
        pending = [client.async_infer("demo", [kind.tensor("input", row, "FP32")]) for row in rows]
        answers = [each.get_result() for each in pending]
        client.close()
    else:
        import tritonclient.grpc.aio as aio

        async def ask() -> list[Any]:
            async with aio.InferenceServerClient(batched.grpc) as client:
                asked = (client.infer("demo", [kind.tensor("input", row, "FP32")]) for row in rows)
                return list(await asyncio.gather(*asked))

        answers = asyncio.run(ask())
    assert [answer.as_numpy("output").tolist() for answer in answers] == [(row * 10).tolist() for row in rows]


def test_the_items_of_one_tensor_share_batches(batched: Deployed, kind: Kind) -> None:
    rows = numpy.arange(40, dtype="float32").reshape(20, 2)
    with kind.client(batched) as client:
        answer = client.infer("demo", [kind.tensor("input", rows, "FP32")])
        single = client.infer("demo", [kind.tensor("input", rows[1], "FP32")])
    assert answer.as_numpy("output").tolist() == (rows * 10).tolist()
    assert single.as_numpy("output").tolist() == [20, 30]


def test_a_typed_handler_takes_documents(typed: Deployed, kind: Kind) -> None:
    first, second = {"text": "a b a", "tags": ["a"]}, {"text": "é", "tags": ["é", "x"]}
    with kind.client(typed) as client:
        answer = client.infer("demo", [documents(kind, first, second)])
    assert [json.loads(each) for each in answer.as_numpy("output")] == [{"a": 2}, {"é": 1, "x": 0}]


def test_a_document_that_does_not_fit_is_refused_with_its_place(typed: Deployed, kind: Kind) -> None:
    with kind.client(typed) as client, pytest.raises(InferenceServerException) as refused:
        client.infer("demo", [documents(kind, {"text": 3, "tags": "a"})])
    assert "/text: expected a string" in refused.value.message()
    assert "/tags: expected an array" in refused.value.message()


def test_a_handler_that_fails_tells_nothing_of_its_inside(typed: Deployed, kind: Kind) -> None:
    with kind.client(typed) as client, pytest.raises(InferenceServerException) as failed:
        client.infer("demo", [documents(kind, {"text": "fail", "tags": []})])
    assert "secret" not in str(failed.value)
    assert failed.value.status() == ("500" if kind.http else "StatusCode.INTERNAL")


def test_the_status_and_the_deploy_name_the_address_of_grpc(typed: Deployed) -> None:
    assert any(typed.grpc in note for note in typed.made.notes)
    assert typed.local.status().details["grpc"] == typed.grpc


def test_requests_over_both_are_counted_by_route(typed: Deployed) -> None:
    from tests.fakes.local import get

    for module in (over_http, over_grpc):
        kind = Kind(module)
        with kind.client(typed) as client:
            client.infer("demo", [documents(kind, {"text": "", "tags": []})])
    text = get(f"{typed.made.endpoint}/metrics")[1].decode()
    assert 'preheat_requests_total{outcome="ok",route="/v2/models/{name}/infer"}' in text
    assert 'preheat_requests_total{outcome="ok",route="grpc"}' in text


def test_a_token_is_wanted_to_infer_and_travels_in_the_headers(tmp_path: Path, kind: Kind) -> None:
    function = Deployed(tmp_path, TYPED, triggers=(HttpTrigger(auth="token"),))
    try:
        with kind.client(function) as client:
            asked = [documents(kind, {"text": "a", "tags": ["a"]})]
            assert client.is_model_ready("demo")
            with pytest.raises(InferenceServerException, match="wants a token") as refused:
                client.infer("demo", asked)
            answer = client.infer("demo", asked, headers={"authorization": f"Bearer {function.made.token}"})
        assert refused.value.status() == ("401" if kind.http else "StatusCode.UNAUTHENTICATED")
        assert json.loads(answer.as_numpy("output")[0]) == {"a": 1}
    finally:
        function.local.client.shut_down()


def test_grpc_is_back_at_its_address_after_a_restart_and_over_tls_after_a_deploy(tmp_path: Path) -> None:
    kind = Kind(over_grpc)
    function = Deployed(tmp_path, TYPED)
    local = function.local
    try:
        local.client.shut_down()
        assert local.status().details["grpc"] == function.grpc
        with kind.client(function) as client:
            client.infer("demo", [documents(kind, {"text": "a", "tags": []})])
        table = local.project.provider["local"]
        local.configure(provider={"local": {**table, "tls": True}})
        made = local.deploy(TYPED)
        secure = over_grpc.InferenceServerClient(function.grpc, ssl=True, root_certificates=made.authority)
        with secure:
            assert secure.get_model_metadata("demo").versions == ["2"]
    finally:
        local.client.shut_down()


def test_a_grpc_port_that_is_taken_stops_the_deploy_before_anything_changes(
    local: Local, typed: Deployed
) -> None:
    port = int(typed.grpc.rpartition(":")[2])
    local.configure(provider={"local": {"grpc_port": port}})
    with pytest.raises(ProviderError, match=f"Port {port} of 127.0.0.1 is in use by") as refused:
        local.deploy()
    assert "grpc_port" in (refused.value.hint or "")
    assert local.provider.status(None, None) == ()
