"""The OpenAPI 3.1 document of one deployment, from its contract document. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from preheat.interface.manifest import Limits
from preheat.interface.message import JSON_TYPE, PROBLEM_TYPE, TIMEOUT_HEADER
from preheat.runtime.requests import SHORTEST_S, TTL_HEADER, WEBHOOK_HEADER
from preheat.runtime.surface.inference.description import protocol_paths, protocol_schemas
from preheat.runtime.surface.jobs import IDEMPOTENCY_HEADER, LONGEST_TTL_S
from preheat.runtime.surface.schemas import components

_Object = dict[str, Any]

_PROBLEMS = {
    "400": "The input does not fit its schema, or a header is malformed.",
    "401": "The token is missing or wrong.",
    "404": "No such job, or it has expired.",
    "408": "The body did not arrive in time.",
    "409": "The job has no result, or the idempotency key was used for another request.",
    "413": "The body, or what it decodes to, exceeds a limit.",
    "415": "The handler does not read this media type.",
    "429": "The queue is full; Retry-After says when to come back.",
    "500": "predict failed; the details are in the logs only.",
    "502": "The process ended while it answered.",
    "503": "Nothing can answer now; Retry-After says when to come back.",
    "504": "No answer within the time limit.",
}
_RUNNING = ("400", "401", "408", "413", "415", "429", "500", "502", "503", "504")
_JOB = ("401", "404", "503")

_PROBLEM_SCHEMA: _Object = {
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri"},
        "errors": {
            "description": "Where the input does not fit, as JSON pointers.",
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_TEXT: _Object = {"type": "string"}
_SECONDS: _Object = {"type": "number", "minimum": SHORTEST_S}
_TIME: _Object = {"type": ["string", "null"], "format": "date-time"}
_JOB_SCHEMA: _Object = {
    "title": "Job",
    "type": "object",
    "required": ["id", "status", "created", "started", "finished", "expires", "attempts"],
    "properties": {
        "id": {"type": "string"},
        "status": {"enum": ["queued", "running", "succeeded", "failed", "cancelled"]},
        "created": _TIME,
        "started": _TIME,
        "finished": _TIME,
        "expires": _TIME,
        "attempts": {"type": "integer", "minimum": 0},
        "result": {"description": "The answer, when it is JSON."},
        "result_url": {"description": "Where the answer is, when it is not JSON.", "type": "string"},
        "error": {"$ref": "#/components/schemas/Problem"},
    },
}


def openapi_document(
    *, document: Mapping[str, Any], name: str, version: str, limits: Limits, jobs: bool
) -> _Object:
    """Return the OpenAPI document; the handler's own schemas are the components Input and Output.

    `jobs` says whether the deployment takes jobs; without, their routes answer 501 and are left out.
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": version, "description": document.get("description") or ""},
        "paths": _inference_paths(document, limits)
        | (_job_paths(document) if jobs else {})
        | protocol_paths(name, version, stream=bool(document.get("stream")))
        | _other_paths(),
        "components": {
            "schemas": components("Input", document["input"])
            | components("Output", document["output"])
            | {"Problem": _PROBLEM_SCHEMA, "Job": _JOB_SCHEMA}
            | protocol_schemas(),
            "responses": {f"Problem{status}": _problem(text) for status, text in _PROBLEMS.items()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _inference_paths(document: Mapping[str, Any], limits: Limits) -> _Object:
    operation: _Object = {
        "summary": document.get("title") or "One inference",
        "tags": ["inference"],
        "security": [{"token": []}, {}],
        "parameters": [
            _header(
                TIMEOUT_HEADER, f"Give up after so many seconds, at most {limits.timeout_s:g}.", _SECONDS
            ),
            _header("x-request-id", "Kept and sent back, when it is 1 to 128 unreserved characters.", _TEXT),
        ],
        "requestBody": _request_body(document),
        "responses": {"200": _answer(document)} | _problems(_RUNNING),
    }
    return {
        "/invocations": {"post": operation | {"operationId": "invoke"}},
        "/predict": {"post": operation | {"operationId": "predict", "summary": "The same as /invocations"}},
    }


def _job_paths(document: Mapping[str, Any]) -> _Object:
    common = {"tags": ["jobs"], "security": [{"token": []}, {}]}
    job_id = {"name": "job_id", "in": "path", "required": True, "schema": {"type": "string"}}
    submit = common | {
        "operationId": "submitJob",
        "summary": "One inference, later",
        "parameters": [
            _header(IDEMPOTENCY_HEADER, "The same key and request make one job.", _TEXT | {"maxLength": 255}),
            _header(WEBHOOK_HEADER, "Gets the finished job by POST.", _TEXT | {"format": "uri"}),
            _header(TTL_HEADER, "Keep the job for so many seconds.", _SECONDS | {"maximum": LONGEST_TTL_S}),
        ],
        "requestBody": _request_body(document),
        "responses": {
            "202": _job("Recorded.") | {"headers": {"location": {"schema": {"type": "string"}}}},
            "200": _job("Recorded before, under this idempotency key."),
        }
        | _problems(("400", "401", "408", "409", "413", "415", "429", "503")),
    }
    read = common | {"operationId": "readJob", "summary": "A job as it is now"}
    cancel = common | {"operationId": "cancelJob", "summary": "Cancel a job that has not finished"}
    result = common | {"operationId": "readResult", "summary": "The answer as the handler gave it"}
    job = {"200": _job("The job.")} | _problems(_JOB)
    return {
        "/jobs": {"post": submit},
        "/jobs/{job_id}": {
            "parameters": [job_id],
            "get": read | {"responses": job},
            "delete": cancel | {"responses": job},
        },
        "/jobs/{job_id}/result": {
            "parameters": [job_id],
            "get": result
            | {"responses": {"200": _answer(document)} | _problems((*_JOB, "409", "500", "504"))},
        },
    }


def _other_paths() -> _Object:
    def get(operation: str, summary: str, media_type: str | None, problems: Sequence[str] = ()) -> _Object:
        content: _Object = {"content": {media_type: {}}} if media_type else {}
        return {
            "get": {
                "operationId": operation,
                "summary": summary,
                "tags": ["about"],
                "security": [{"token": []}, {}] if "401" in problems else [],
                "responses": {"200": {"description": summary} | content} | _problems(problems),
            }
        }

    return {
        "/ping": get("ping", "Ready, as SageMaker asks", None, ["503"]),
        "/readyz": get("readyz", "Ready", JSON_TYPE, ["503"]),
        "/healthz": get("healthz", "Alive", JSON_TYPE),
        "/metrics": get("metrics", "Prometheus text", "text/plain", ["401"]),
        "/schema": get("schema", "The handler's contract document", JSON_TYPE),
        "/openapi.json": get("openapi", "This document", JSON_TYPE),
        "/docs": get("docs", "This API as a page", "text/html"),
        "/": get("playground", "A form to try the handler", "text/html"),
    }


def _request_body(document: Mapping[str, Any]) -> _Object:
    media = document.get("input_media") or [JSON_TYPE]
    content = {kind: _media(kind, "Input") for kind in media}
    examples = document.get("examples") or []
    if JSON_TYPE in content and examples:
        content[JSON_TYPE]["examples"] = {
            f"example {number}": {"value": value} for number, value in enumerate(examples, start=1)
        }
    # No bytes are bytes too: where any media type is taken, an empty body is an input.
    return {"required": "*/*" not in media, "content": content}


def _answer(document: Mapping[str, Any]) -> _Object:
    media = document.get("output_media") or [JSON_TYPE]
    return {"description": "The answer.", "content": {kind: _media(kind, "Output") for kind in media}}


def _media(kind: str, component: str) -> _Object:
    """Return the content of one media type: raw bytes have no schema in OpenAPI 3.1 (section 4.8.14.2)."""
    reference: _Object = {"schema": {"$ref": f"#/components/schemas/{component}"}}
    return reference if kind in (JSON_TYPE, "multipart/form-data") else {}


def _job(description: str) -> _Object:
    content = {JSON_TYPE: {"schema": {"$ref": "#/components/schemas/Job"}}}
    return {"description": description, "content": content}


def _problem(description: str) -> _Object:
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": description, "content": content}


def _problems(statuses: Sequence[str]) -> _Object:
    return {status: {"$ref": f"#/components/responses/Problem{status}"} for status in statuses}


def _header(name: str, description: str, schema: _Object) -> _Object:
    return {"name": name, "in": "header", "description": description, "schema": schema}
