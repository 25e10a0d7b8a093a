"""Bodies of the protocol, JSON alone or with binary tensors behind it, to tensors and back. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from preheat.errors import BadInput, RequestError
from preheat.interface.jsontext import read_json
from preheat.interface.message import JSON_TYPE, Response
from preheat.interface.problem import problem_headers
from preheat.runtime.inference.datatypes import BYTES, check_datatype, shown
from preheat.runtime.inference.tensors import Tensor, check_shape, flatten

LENGTH_HEADER = "inference-header-content-length"
OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class InferRequest:
    """`wanted` maps the outputs that are asked for to whether they come binary; without any, all come."""

    id: str | None
    inputs: Mapping[str, Tensor]
    wanted: Mapping[str, bool]
    binary: bool


def read_infer(body: bytes, header_length: str | None, *, depth: int) -> InferRequest:
    """Return the request in `body`, whose JSON ends after `header_length` bytes. Raises BadInput."""
    end = len(body) if header_length is None else _length(header_length, len(body))
    head = read_json(body[:end], depth=depth)
    if not isinstance(head, dict) or not isinstance(head.get("inputs"), list):
        raise BadInput("The body needs an array `inputs`.")
    request_id = head.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise BadInput("`id` is no string.")
    inputs: dict[str, Tensor] = {}
    for entry in head["inputs"]:
        tensor, end = _read_tensor(entry, body, end)
        if tensor.name in inputs:
            raise BadInput(f"The input {tensor.name[:100]!r} is there twice.")
        inputs[tensor.name] = tensor
    if end != len(body):
        raise BadInput(f"{len(body) - end} bytes stand behind the last binary tensor.")
    binary = _flag(_parameters(head), "binary_data_output", default=False)
    return InferRequest(request_id, inputs, _read_wanted(head.get("outputs") or [], binary), binary)


def write_infer(
    request: InferRequest, outputs: Sequence[Tensor], *, name: str, version: str
) -> tuple[str, dict[str, str], bytes]:
    """Return content type, headers and body."""
    entries, blobs = [], []
    for tensor in outputs:
        entry: dict[str, Any] = {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": list(tensor.shape),
        }
        if request.wanted.get(tensor.name, request.binary):
            entry["parameters"] = {"binary_data_size": len(tensor.raw)}
            blobs.append(tensor.raw)
        else:
            values = tensor.values()
            entry["data"] = [value.decode() for value in values] if tensor.datatype == BYTES else values
        entries.append(entry)
    head: dict[str, Any] = {"model_name": name, "model_version": version, "outputs": entries}
    if request.id is not None:
        head["id"] = request.id
    text = json.dumps(head, separators=(",", ":")).encode()
    if not blobs:
        return JSON_TYPE, {}, text
    return OCTETS, {LENGTH_HEADER: str(len(text))}, b"".join([text, *blobs])


def refusal(error: RequestError, *, request_id: str | None = None) -> Response:
    """Return `error` as the protocol writes one, which has no place for the request's id."""
    del request_id
    details = [f"{at}: {detail}" if at else detail for at, detail in error.errors]
    text = " ".join([error.message, *details[1:]])
    return Response(status=error.status, body=error_body(text), headers=problem_headers(error))


def error_body(text: str) -> bytes:
    """Return the protocol's error object."""
    return json.dumps({"error": text}).encode()


def _length(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text) <= most):
        raise BadInput(f"{LENGTH_HEADER} is {text[:40]!r}; the body has {most} bytes.")
    return int(text)


def _read_tensor(entry: Any, body: bytes, at: int) -> tuple[Tensor, int]:
    """Return a tensor and where the next binary one starts."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise BadInput("An input is an object with a string `name`.")
    name = entry["name"]
    try:
        datatype = check_datatype(entry.get("datatype"))
        if not isinstance(entry.get("shape"), list):
            raise BadInput("the shape is no array")
        shape = check_shape(entry["shape"], len(body))
        parameters = _parameters(entry)
        if "shared_memory_region" in parameters:
            raise BadInput("shared memory is not offered; send the data")
        size = parameters.get("binary_data_size")
        if (size is None) == ("data" not in entry):
            raise BadInput("give either data or parameters.binary_data_size")
        if size is None:
            return Tensor.of(name, datatype, shape, flatten(entry["data"], shape)), at
        if type(size) is not int or not 0 <= size <= len(body) - at:
            raise BadInput(f"binary_data_size is {shown(size)}, and {len(body) - at} bytes follow")
        return Tensor(name, datatype, shape, body[at : at + size]).checked(), at + size
    except BadInput as exc:
        raise BadInput(f"Input {name[:100]!r}: {exc.message}.") from exc


def _read_wanted(outputs: Any, binary: bool) -> dict[str, bool]:
    wanted: dict[str, bool] = {}
    for entry in outputs if isinstance(outputs, list) else [None]:
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(name, str) or name in wanted:
            raise BadInput("`outputs` is an array of objects, each with a `name` of its own.")
        parameters = _parameters(entry)
        if {"classification", "shared_memory_region"} & parameters.keys():
            raise BadInput(f"Output {name[:100]!r}: classification and shared memory are not offered.")
        wanted[name] = _flag(parameters, "binary_data", default=binary)
    return wanted


def _parameters(entry: Mapping[str, Any]) -> dict[str, Any]:
    found = entry.get("parameters", {})
    if not isinstance(found, dict):
        raise BadInput("parameters is no object")
    return found


def _flag(parameters: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = parameters.get(name, default)
    if type(value) is not bool:
        raise BadInput(f"{name} is neither true nor false.")
    return value
