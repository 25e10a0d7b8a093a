"""The protocol's routes and their bodies in the OpenAPI document. Pure."""

from typing import Any

from preheat.interface.message import JSON_TYPE
from preheat.runtime.inference.datatypes import BYTES, CODES
from preheat.runtime.inference.tensors import MAX_DIMENSIONS
from preheat.runtime.surface.inference.protocol import LENGTH_HEADER, OCTETS

_Object = dict[str, Any]
_TEXT: _Object = {"type": "string"}
_BINARY_SIZE: _Object = {"binary_data_size": {"type": "integer", "minimum": 0}}

_PROBLEMS = {
    "400": "A tensor is malformed or does not fit the model.",
    "401": "The token is missing or wrong.",
    "404": "Another model, or another version.",
    "408": "The body did not arrive in time.",
    "413": "The body, or what it decodes to, exceeds a limit.",
    "415": "The body is compressed.",
    "429": "The queue is full; Retry-After says when to come back.",
    "500": "predict failed, or its results make no tensor.",
    "502": "The process ended while it answered.",
    "503": "Nothing can answer now; Retry-After says when to come back.",
    "504": "No answer within the time limit.",
}
_ABOUT_MODEL = ("404",)
_READY = ("404", "503")


def protocol_paths(name: str, version: str, *, stream: bool) -> _Object:
    """Return the path items of the model `name`; one that streams has no infer, which would answer 501."""
    paths = {
        "/v2": _get("v2Server", "The server", "V2Server"),
        "/v2/health/live": _get("v2Live", "Alive", "V2Live"),
        "/v2/health/ready": _get("v2Ready", "Ready", "V2Ready", ("503",)),
    }
    for path, suffix in (
        ("/v2/models/{name}", ""),
        ("/v2/models/{name}/versions/{version}", "Version"),
    ):
        parameters = [
            {"name": part, "in": "path", "required": True, "schema": {"enum": [only]}}
            for part, only in (("name", name), ("version", version))
            if f"{{{part}}}" in path
        ]
        about = _get(f"v2Model{suffix}", "The model's tensors", "V2Model", _ABOUT_MODEL)
        paths[path] = {"parameters": parameters} | about
        ready = _get(f"v2ModelReady{suffix}", "Ready", "V2Ready", _READY)
        paths[f"{path}/ready"] = {"parameters": parameters} | ready
        if not stream:
            paths[f"{path}/infer"] = {"parameters": parameters, "post": _infer(f"v2Infer{suffix}")}
    return paths


def protocol_schemas() -> _Object:
    """Return the components that `protocol_paths` refers to."""
    tensor = {"name": _TEXT, "datatype": {"enum": [*CODES, BYTES]}}
    sizes = {"type": "array", "items": {"type": "integer", "minimum": 0}, "maxItems": MAX_DIMENSIONS}
    described = {"type": "array", "items": {"type": "integer", "minimum": -1}}
    data = {"description": "The elements, flat in row-major order or nested.", "type": "array"}
    metadata = _record(tensor | {"shape": described})
    given = _record(
        tensor | {"shape": sizes, "parameters": _parameters(_BINARY_SIZE), "data": data},
        optional=("parameters", "data"),
    )
    wanted = _record(
        {"name": _TEXT, "parameters": _parameters({"binary_data": {"type": "boolean"}})},
        optional=("parameters",),
    )
    return {
        "V2Server": _record({"name": _TEXT, "version": _TEXT, "extensions": _list(_TEXT)}),
        "V2Live": _record({"live": {"type": "boolean"}}),
        "V2Ready": _record({"name": _TEXT, "ready": {"type": "boolean"}}),
        "V2Model": _record(
            {
                "name": _TEXT,
                "versions": _list(_TEXT),
                "platform": _TEXT,
                "inputs": _list(metadata),
                "outputs": _list(metadata),
            }
        ),
        "V2InferRequest": _record(
            {
                "id": _TEXT,
                "parameters": _parameters({"binary_data_output": {"type": "boolean"}}),
                "inputs": _list(given),
                "outputs": _list(wanted),
            },
            optional=("id", "parameters", "outputs"),
        ),
        "V2InferResponse": _record(
            {"id": _TEXT, "model_name": _TEXT, "model_version": _TEXT, "outputs": _list(given)},
            optional=("id",),
        ),
        "V2Error": _record({"error": _TEXT}),
    }


def _get(operation: str, summary: str, component: str, problems: tuple[str, ...] = ()) -> _Object:
    answer = {"description": summary, "content": {JSON_TYPE: _schema(component)}}
    about = {"operationId": operation, "summary": summary, "tags": ["open inference protocol"]}
    return {"get": about | {"security": [], "responses": {"200": answer} | _errors(problems)}}


def _infer(operation: str) -> _Object:
    length = {"name": LENGTH_HEADER, "in": "header", "schema": {"type": "integer", "minimum": 0}}
    text = "Where the JSON ends and the binary tensors begin, in bytes."
    return {
        "operationId": operation,
        "summary": "One inference over tensors",
        "tags": ["open inference protocol"],
        "security": [{"token": []}, {}],
        "parameters": [length | {"description": text}],
        "requestBody": {"required": True, "content": {JSON_TYPE: _schema("V2InferRequest"), OCTETS: {}}},
        "responses": {
            "200": {
                "description": "The outputs; binary ones stand behind the JSON.",
                "headers": {LENGTH_HEADER: {"schema": {"type": "integer"}, "description": text}},
                "content": {JSON_TYPE: _schema("V2InferResponse"), OCTETS: {}},
            }
        }
        | _errors(tuple(_PROBLEMS)),
    }


def _errors(statuses: tuple[str, ...]) -> _Object:
    content = {JSON_TYPE: _schema("V2Error")}
    return {status: {"description": _PROBLEMS[status], "content": content} for status in statuses}


def _schema(component: str) -> _Object:
    return {"schema": {"$ref": f"#/components/schemas/{component}"}}


def _record(properties: _Object, *, optional: tuple[str, ...] = ()) -> _Object:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


def _parameters(known: _Object) -> _Object:
    return {"type": "object", "properties": known}


def _list(items: _Object) -> _Object:
    return {"type": "array", "items": items}
