import asyncio
import logging
import subprocess
import sys
from typing import Any

import grpc
import numpy
import pytest
from tests.fakes.engine import Answer, FakeEngine, Stalled
from tests.fakes.grpc_server import SERVICE, call, infer, served, serving, vector
from tests.fakes.surface import TOKEN, only_token
from tests.fakes.tensors import TENSOR

from preheat.errors import BadInput, HandlerFailed, Overloaded, ProviderError, Unavailable
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.grpc import inference_pb2 as pb
from preheat.runtime.grpc import serve_grpc
from preheat.runtime.grpc.server import GrpcServer
from preheat.runtime.metrics import Metrics
from preheat.runtime.telemetry import Telemetry

pytestmark = pytest.mark.anyio


async def failure(channel: Any, method: str, data: bytes, **options: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call(channel, method, data, **options)
    return error.value.code(), error.value.details() or ""


def refusing(error: Exception) -> Answer:
    async def answer(_: Request) -> Response:
        if isinstance(error, BadInput | HandlerFailed | Overloaded | Unavailable):
            return problem_response(error)
        raise error

    return answer


async def test_a_tensor_goes_as_an_array_and_comes_back() -> None:
    engine = FakeEngine()
    async with serving(served(engine)) as channel:
        answer = await infer(channel, vector(1.5, 2))
    (output,) = answer.outputs
    assert (answer.id, answer.model_name, answer.model_version) == ("7", "echo", "3")
    assert (output.name, output.datatype, list(output.shape)) == ("output", "FP32", [2])
    assert numpy.frombuffer(answer.raw_output_contents[0], "float32").tolist() == [1.5, 2]
    assert engine.requests[0].content_type == "application/x-npy"


async def test_what_came_typed_is_answered_typed() -> None:
    request = pb.ModelInferRequest(model_name="echo")
    request.inputs.add(name="input", datatype="FP32", shape=[1], contents={"fp32_contents": [2.5]})
    async with serving(served(FakeEngine())) as channel:
        answer = await infer(channel, request.SerializeToString())
    assert list(answer.outputs[0].contents.fp32_contents) == [2.5]
    assert not answer.raw_output_contents


async def test_readiness_and_metadata_are_the_models() -> None:
    async with serving(served(FakeEngine(ready=False))) as channel:
        live = pb.ServerLiveResponse.FromString(await call(channel, "ServerLive", b""))
        ready = pb.ServerReadyResponse.FromString(await call(channel, "ServerReady", b""))
        asked = pb.ModelReadyRequest(name="echo").SerializeToString()
        model = pb.ModelReadyResponse.FromString(await call(channel, "ModelReady", asked))
        server = pb.ServerMetadataResponse.FromString(await call(channel, "ServerMetadata", b""))
        about = pb.ModelMetadataResponse.FromString(await call(channel, "ModelMetadata", asked))
    assert (live.live, ready.ready, model.ready, server.name) == (True, False, False, "preheat")
    assert (about.name, list(about.versions), about.inputs[0].datatype) == ("echo", ["3"], "FP32")
    assert list(about.inputs[0].shape) == [-1]


@pytest.mark.parametrize("method", ["ModelReady", "ModelMetadata"])
async def test_another_model_is_not_found(method: str) -> None:
    async with serving(served(FakeEngine())) as channel:
        code, details = await failure(channel, method, pb.ModelReadyRequest(name="z").SerializeToString())
    assert (code, details) == (grpc.StatusCode.NOT_FOUND, "There is no model 'z'; this is 'echo'.")


async def test_a_method_that_there_is_not_is_unimplemented() -> None:
    async with serving(served(FakeEngine())) as channel:
        code, _ = await failure(channel, "ModelStreamInfer", b"")
    assert code is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("method", ["ServerLive", "ModelReady", "ModelMetadata", "ModelInfer"])
async def test_what_is_no_message_is_an_invalid_argument(method: str) -> None:
    async with serving(served(FakeEngine())) as channel:
        code, details = await failure(channel, method, b"\xff\xff")
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert f"is no {method}Request" in details


@pytest.mark.parametrize(
    ("error", "code", "details"),
    [
        (BadInput("No such word."), grpc.StatusCode.INVALID_ARGUMENT, "No such word."),
        (HandlerFailed("It failed."), grpc.StatusCode.INTERNAL, "It failed."),
        (Overloaded("Full.", retry_after_s=3.0), grpc.StatusCode.RESOURCE_EXHAUSTED, "Full."),
        (Unavailable("Not now.", retry_after_s=1.0), grpc.StatusCode.UNAVAILABLE, "Not now."),
        (ValueError("the secret"), grpc.StatusCode.INTERNAL, "The request failed inside the server, whose"),
    ],
)
async def test_a_failure_has_its_code_and_no_internals(
    error: Exception, code: grpc.StatusCode, details: str
) -> None:
    async with serving(served(FakeEngine(refusing(error)))) as channel:
        found, told = await failure(channel, "ModelInfer", vector(1))
    assert found is code
    assert told.startswith(details)


async def test_an_unexpected_failure_is_logged_with_the_requests_id(caplog: pytest.LogCaptureFixture) -> None:
    metadata = (("x-request-id", "r-1"),)
    with caplog.at_level(logging.ERROR, "preheat.grpc"):
        async with serving(served(FakeEngine(refusing(ValueError("the secret"))))) as channel:
            await failure(channel, "ModelInfer", vector(1), metadata=metadata)
    (record,) = [each for each in caplog.records if each.name == "preheat.grpc"]
    assert (record.__dict__["request_id"], str((record.exc_info or (0, 0))[1])) == ("r-1", "the secret")


async def test_a_full_queue_says_when_to_come_back() -> None:
    engine = FakeEngine(refusing(Overloaded("Full.", retry_after_s=3.0)))
    async with serving(served(engine)) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call(channel, "ModelInfer", vector(1), metadata=(("x-request-id", "r-1"),))
    assert {("retry-after", "3"), ("x-request-id", "r-1")} <= {*error.value.trailing_metadata()}


async def test_the_answers_headers_are_trailers() -> None:
    async def answer(request: Request) -> Response:
        headers = {"x-preheat-start": "cold"}
        return Response(content_type=request.content_type, body=request.body, headers=headers)

    async with serving(served(FakeEngine(answer))) as channel:
        made = call(channel, "ModelInfer", vector(1))
        await made
        assert ("x-preheat-start", "cold") in {*await made.trailing_metadata()}


async def test_only_what_runs_the_model_wants_the_token() -> None:
    async with serving(served(FakeEngine(), authenticate=only_token)) as channel:
        await call(channel, "ServerReady", b"")
        code, _ = await failure(channel, "ModelInfer", vector(1))
        assert code is grpc.StatusCode.UNAUTHENTICATED
        await infer(channel, vector(1), metadata=(("authorization", f"Bearer {TOKEN}"),))


async def test_a_message_over_the_limit_never_reaches_the_engine() -> None:
    engine = FakeEngine()
    async with serving(served(engine)) as channel:
        code, _ = await failure(channel, "ModelInfer", vector(*range(300)))
        compressed, _ = await failure(
            channel, "ModelInfer", vector(*[0.0] * 300), compression=grpc.Compression.Gzip
        )
    assert (code, compressed) == (grpc.StatusCode.RESOURCE_EXHAUSTED,) * 2
    assert engine.requests == []


async def test_an_answer_may_be_larger_than_a_request() -> None:
    async def answer(request: Request) -> Response:
        return Response(body=b'"' + b"x" * 5_000_000 + b'"')

    request = pb.ModelInferRequest(model_name="echo")
    request.inputs.add(name="input", datatype="BYTES", shape=[1], contents={"bytes_contents": [b"{}"]})
    typed = TENSOR | {"input": {"type": "string"}, "output": {"type": "string"}}
    server = GrpcServer(served(FakeEngine(answer), document=typed))
    port = await server.start("127.0.0.1", 0)
    unbounded = (("grpc.max_receive_message_length", -1),)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=unbounded) as channel:
        got = await infer(channel, request.SerializeToString())
    await server.stop(0.0)
    assert len(got.outputs[0].contents.bytes_contents[0]) == 5_000_002


async def test_the_callers_deadline_reaches_the_engine() -> None:
    engine = FakeEngine()
    async with serving(served(engine)) as channel:
        await infer(channel, vector(1), timeout=5)
        await infer(channel, vector(1), timeout=500)
        await infer(channel, vector(1), metadata=(("x-preheat-timeout-s", "2"),))
    first, second, third = (request.timeout_s or 0 for request in engine.requests)
    assert 0 < first < 6
    assert (second, third) == (9.0, 2.0)


async def test_a_deadline_that_passes_stops_the_engine() -> None:
    stalled = Stalled()
    async with serving(served(FakeEngine(stalled))) as channel:
        await channel.channel_ready()
        code, _ = await failure(channel, "ModelInfer", vector(1), timeout=2)
        await stalled.cancelled.wait()
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_client_that_leaves_stops_the_engine_and_counts_as_cancelled() -> None:
    stalled = Stalled()
    metrics = Metrics()
    async with serving(served(FakeEngine(stalled), telemetry=Telemetry(metrics))) as channel:
        made = call(channel, "ModelInfer", vector(1))
        waiting = asyncio.ensure_future(made)
        await stalled.begun.wait()
        made.cancel()
        await stalled.cancelled.wait()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert 'preheat_requests_total{outcome="cancelled",route="grpc"} 1.0' in metrics.render()[1].decode()


async def test_calls_are_counted_by_how_they_end() -> None:
    metrics = Metrics()
    async with serving(served(FakeEngine(), telemetry=Telemetry(metrics))) as channel:
        await infer(channel, vector(1))
        await failure(channel, "ModelInfer", b"\xff")
        await call(channel, "ServerReady", b"")
    text = metrics.render()[1].decode()
    for outcome in ("ok", "rejected"):
        assert f'preheat_requests_total{{outcome="{outcome}",route="grpc"}} 1.0' in text


async def test_a_handler_that_streams_is_unimplemented() -> None:
    async with serving(served(FakeEngine(), document=TENSOR | {"stream": True})) as channel:
        code, details = await failure(channel, "ModelInfer", vector(1))
    assert code is grpc.StatusCode.UNIMPLEMENTED
    assert "streams" in details


async def test_what_is_served_may_be_replaced_while_calls_are_in_hand() -> None:
    stalled = Stalled()
    server = GrpcServer(served(FakeEngine(stalled)))
    port = await server.start("127.0.0.1", 0)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        old = asyncio.ensure_future(infer(channel, vector(1)))
        await stalled.begun.wait()
        server.served = served(FakeEngine())
        assert (await infer(channel, vector(1))).id == "7"
        assert not old.done()
        old.cancel()
        await stalled.cancelled.wait()
    await server.stop(0.0)


async def test_stopping_lets_calls_in_hand_be_answered() -> None:
    go, begun = asyncio.Event(), asyncio.Event()

    async def answer(request: Request) -> Response:
        begun.set()
        await go.wait()
        return Response(content_type=request.content_type, body=request.body)

    server = GrpcServer(served(FakeEngine(answer)))
    port = await server.start("127.0.0.1", 0)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        waiting = asyncio.ensure_future(infer(channel, vector(1)))
        await begun.wait()
        stopping = asyncio.ensure_future(server.stop(20.0))
        go.set()
        assert (await waiting).id == "7"
        await stopping


async def test_a_port_that_is_taken_is_an_error_that_names_it() -> None:
    async with serving(served(FakeEngine())):
        server = await serve_grpc(served(FakeEngine()), host="127.0.0.1", port=0)
        with pytest.raises(ProviderError, match=f"127.0.0.1:{server.port}"):
            await serve_grpc(served(FakeEngine()), host="127.0.0.1", port=server.port)
        await server.stop(0.0)


def test_without_the_extra_the_error_has_the_line_to_paste() -> None:
    code = """
import asyncio, sys
sys.modules["grpc"] = None
from preheat.errors import MissingExtra
from preheat.runtime.grpc import serve_grpc
try:
    asyncio.run(serve_grpc(None, host="127.0.0.1", port=0))
except MissingExtra as missing:
    print(missing.message, missing.hint)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (
        done.stdout == "gRPC needs the module 'grpc', which is not installed. pip install 'preheat[grpc]'\n"
    )


def test_the_service_is_the_protocols() -> None:
    assert pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name == SERVICE.strip("/")
