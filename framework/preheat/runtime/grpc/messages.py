"""ModelInfer's messages, typed or raw, to tensors and back. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from google.protobuf.message import DecodeError

from preheat.errors import BadInput
from preheat.runtime.grpc.inference_pb2 import InferTensorContents, ModelInferRequest, ModelInferResponse
from preheat.runtime.inference.datatypes import BYTES, check_datatype
from preheat.runtime.inference.tensors import Tensor, check_shape

CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    BYTES: "bytes_contents",
}
"""The field of InferTensorContents of each datatype; FP16 has none."""


@dataclass(frozen=True, slots=True)
class InferCall:
    """A request to infer. `raw` is how it came, and how its answer goes."""

    name: str
    version: str
    id: str
    inputs: Mapping[str, Tensor]
    wanted: Sequence[str]
    raw: bool


def read_call(data: bytes) -> InferCall:
    """Return the request in `data`. Raises BadInput."""
    try:
        request = ModelInferRequest.FromString(data)
    except DecodeError as exc:
        raise BadInput("The message is no ModelInferRequest.") from exc
    raws = request.raw_input_contents
    if raws and len(raws) != len(request.inputs):
        raise BadInput(f"raw_input_contents has {len(raws)} entries for {len(request.inputs)} inputs.")
    inputs: dict[str, Tensor] = {}
    for place, sent in enumerate(request.inputs):
        if sent.name in inputs:
            raise BadInput(f"The input {sent.name[:100]!r} is there twice.")
        inputs[sent.name] = _read_tensor(sent, raws[place] if raws else None, len(data))
    wanted = [_read_wanted(each) for each in request.outputs]
    if len(set(wanted)) != len(wanted):
        raise BadInput("An output is asked for twice.")
    return InferCall(request.model_name, request.model_version, request.id, inputs, wanted, bool(raws))


def write_answer(call: InferCall, outputs: Sequence[Tensor], *, name: str, version: str) -> bytes:
    """Return the message; it is raw where the request was, or where a datatype has no other form."""
    answer = ModelInferResponse(model_name=name, model_version=version, id=call.id)
    raw = call.raw or any(tensor.datatype not in CONTENTS for tensor in outputs)
    for tensor in outputs:
        made = answer.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
        if raw:
            answer.raw_output_contents.append(tensor.raw)
        else:
            getattr(made.contents, CONTENTS[tensor.datatype]).extend(tensor.values())
    return answer.SerializeToString()


def _read_tensor(sent: ModelInferRequest.InferInputTensor, raw: bytes | None, request_bytes: int) -> Tensor:
    try:
        datatype = check_datatype(sent.datatype)
        shape = check_shape(sent.shape, request_bytes)
        if "shared_memory_region" in sent.parameters:
            raise BadInput("shared memory is not offered; send the data")
        if raw is None:
            return Tensor.of(sent.name, datatype, shape, _typed(sent.contents, datatype, prod(shape)))
        if sent.contents.ListFields():
            raise BadInput("give either contents or raw_input_contents")
        return Tensor(sent.name, datatype, shape, raw).checked()
    except BadInput as exc:
        raise BadInput(f"Input {sent.name[:100]!r}: {exc.message}.") from exc


def _typed(contents: InferTensorContents, datatype: str, count: int) -> list[Any]:
    wanted = CONTENTS.get(datatype)
    if wanted is None:
        raise BadInput(f"{datatype} has no contents; send raw_input_contents")
    if odd := [field.name for field, _ in contents.ListFields() if field.name != wanted]:
        raise BadInput(f"{datatype} comes in {wanted}, got {odd[0]}")
    values: list[Any] = list(getattr(contents, wanted))
    if count and not values:
        raise BadInput(f"{wanted} is empty, and so is raw_input_contents")
    return values


def _read_wanted(output: ModelInferRequest.InferRequestedOutputTensor) -> str:
    if {"classification", "shared_memory_region"} & set(output.parameters):
        raise BadInput(f"Output {output.name[:100]!r}: classification and shared memory are not offered.")
    return output.name
