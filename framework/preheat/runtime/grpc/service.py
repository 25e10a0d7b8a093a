"""The protocol's methods over what is served. Messages stay bytes here: large ones are parsed on a thread."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

import preheat
from preheat.errors import BadInput, DeadlineExceeded, RequestError
from preheat.interface.message import Request
from preheat.interface.problem import problem_headers
from preheat.runtime.failures import failed_inside
from preheat.runtime.grpc import inference_pb2 as pb
from preheat.runtime.grpc.messages import read_call, write_answer
from preheat.runtime.grpc.served import Served
from preheat.runtime.inference.model import PLATFORM, Refused, aside
from preheat.runtime.requests import Incoming, inference
from preheat.runtime.telemetry import Exchange

PREFIX = "/inference.GRPCInferenceService/"
ROUTE = "grpc"
"""What ModelInfer is called where requests are counted."""

Asked = TypeVar("Asked", bound=Message)

log = logging.getLogger("preheat.grpc")


@dataclass(frozen=True, slots=True)
class Failure:
    """How a request failed, in HTTP's terms; `reason` is for the caller."""

    status: int
    reason: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class Call:
    """One call. `remaining_s` is what is left until its deadline; `headers` are the answer's."""

    served: Served
    method: str
    found: Incoming
    exchange: Exchange
    remaining_s: float | None
    headers: Mapping[str, str] = field(default_factory=dict)

    async def answer(self, data: bytes) -> bytes | Failure:
        """Return the answer to the message `data`; only a cancellation is raised."""
        try:
            answer = await METHODS[self.method](self, data)
        except Refused as refused:
            failure = Failure(refused.answer.status, refused.reason, refused.answer.headers)
        except RequestError as error:
            failure = _failure(error)
        except Exception as error:  # one request: its failure may reach neither the client nor the next
            log.error("request failed", exc_info=error, extra={"request_id": self.found.id})
            failure = _failure(failed_inside())
        else:
            self.exchange.status = 200
            self.exchange.bytes_out = len(answer)
            return answer
        self.exchange.status = failure.status
        return failure


async def _server_live(_: Call, data: bytes) -> bytes:
    _parse(pb.ServerLiveRequest, data)
    return pb.ServerLiveResponse(live=True).SerializeToString()


async def _server_ready(call: Call, data: bytes) -> bytes:
    _parse(pb.ServerReadyRequest, data)
    return pb.ServerReadyResponse(ready=call.served.model.ready).SerializeToString()


async def _model_ready(call: Call, data: bytes) -> bytes:
    asked = _parse(pb.ModelReadyRequest, data)
    call.served.model.check_name(asked.name, asked.version)
    return pb.ModelReadyResponse(ready=call.served.model.ready).SerializeToString()


async def _server_metadata(_: Call, data: bytes) -> bytes:
    _parse(pb.ServerMetadataRequest, data)
    return pb.ServerMetadataResponse(name=PLATFORM, version=preheat.__version__).SerializeToString()


async def _model_metadata(call: Call, data: bytes) -> bytes:
    asked = _parse(pb.ModelMetadataRequest, data)
    model = call.served.model
    model.check_name(asked.name, asked.version)
    answer = pb.ModelMetadataResponse(name=model.name, versions=[model.version], platform=PLATFORM)
    for each in model.inputs:
        answer.inputs.add(**asdict(each))
    for each in model.outputs:
        answer.outputs.add(**asdict(each))
    return answer.SerializeToString()


async def _model_infer(call: Call, data: bytes) -> bytes:
    served, exchange = call.served, call.exchange
    exchange.enter(ROUTE, scope_of(call.method))
    served.authenticate(call.found.headers)
    asked = await aside(len(data), lambda: read_call(data))
    served.model.check_name(asked.name, asked.version)
    served.model.check_offered()
    inferred = await served.model.infer(
        asked.inputs, asked.wanted, exchange.propagate(_common(call)), exchange.answered
    )
    call.headers = inferred.headers
    return await aside(
        sum(len(tensor.raw) for tensor in inferred.outputs),
        lambda: write_answer(asked, inferred.outputs, name=served.model.name, version=served.model.version),
    )


METHODS: Mapping[str, Callable[[Call, bytes], Awaitable[bytes]]] = {
    f"{PREFIX}ServerLive": _server_live,
    f"{PREFIX}ServerReady": _server_ready,
    f"{PREFIX}ModelReady": _model_ready,
    f"{PREFIX}ServerMetadata": _server_metadata,
    f"{PREFIX}ModelMetadata": _model_metadata,
    f"{PREFIX}ModelInfer": _model_infer,
}


def scope_of(method: str) -> dict[str, str]:
    """Return the HTTP request that a call is (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md)."""
    return {"method": "POST", "path": method, "scheme": "http", "http_version": "2"}


def _common(call: Call) -> Request:
    """Return the engine's request but for the body; the earlier of the caller's deadlines holds."""
    request = inference(call.found, b"", call.served.limits)
    if call.remaining_s is None:
        return request
    if call.remaining_s <= 0:
        raise DeadlineExceeded("The call's deadline has passed.")
    limit_s = call.served.limits.timeout_s if request.timeout_s is None else request.timeout_s
    return replace(request, timeout_s=min(call.remaining_s, limit_s))


def _parse(kind: type[Asked], data: bytes) -> Asked:
    try:
        return kind.FromString(data)
    except DecodeError as exc:
        raise BadInput(f"The message is no {kind.__name__}.") from exc


def _failure(error: RequestError) -> Failure:
    details = [f"{at}: {detail}" if at else detail for at, detail in error.errors]
    return Failure(error.status, " ".join([error.message, *details[1:]]), problem_headers(error))
