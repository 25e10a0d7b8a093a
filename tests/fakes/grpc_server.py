"""A gRPC server over an engine, and calls to it with plain bytes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
import numpy
from tests.fakes.surface import anyone
from tests.fakes.tensors import TENSOR

from preheat.interface.manifest import Limits
from preheat.interface.message import Engine
from preheat.runtime.grpc import Served
from preheat.runtime.grpc.inference_pb2 import ModelInferRequest, ModelInferResponse
from preheat.runtime.grpc.server import GrpcServer
from preheat.runtime.inference.model import InferenceModel
from preheat.runtime.metrics import Metrics
from preheat.runtime.telemetry import Telemetry

SERVICE = "/inference.GRPCInferenceService/"


def served(engine: Engine, *, document: Any = TENSOR, **overrides: Any) -> Served:
    """Return a model with small limits; `overrides` are fields of Served."""
    settings: dict[str, Any] = {
        "model": InferenceModel(engine=engine, document=document, name="echo", version="3"),
        "limits": Limits(body_bytes=1000, timeout_s=9.0),
        "authenticate": anyone,
        "telemetry": Telemetry(Metrics()),
    }
    return Served(**(settings | overrides))


@asynccontextmanager
async def serving(shown: Served) -> AsyncIterator[grpc.aio.Channel]:
    """Serve on a free port, and yield a channel to it."""
    server = GrpcServer(shown)
    port = await server.start("127.0.0.1", 0)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(0.0)


def call(channel: grpc.aio.Channel, method: str, data: bytes, **options: Any) -> Any:
    """Begin the call `method` of the service."""
    begin: Any = channel.unary_unary(f"{SERVICE}{method}")
    return begin(data, **options)


def vector(*values: float) -> bytes:
    """Return a request with one raw input."""
    array = numpy.array(values, "float32")
    request = ModelInferRequest(model_name="echo", id="7", raw_input_contents=[array.tobytes()])
    request.inputs.add(name="input", datatype="FP32", shape=array.shape)
    return request.SerializeToString()


async def infer(channel: grpc.aio.Channel, data: bytes, **options: Any) -> ModelInferResponse:
    """Return the answer of ModelInfer."""
    return ModelInferResponse.FromString(await call(channel, "ModelInfer", data, **options))
