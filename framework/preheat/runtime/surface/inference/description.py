"""The protocol's routes in the OpenAPI document. Pure."""

from typing import Any

from preheat.interface.message import JSON_TYPE

_GOOD = {"200": {"description": "As the protocol says.", "content": {JSON_TYPE: {}}}}
_ERROR = {
    "description": "What went wrong.",
    "content": {
        JSON_TYPE: {
            "schema": {
                "type": "object",
                "required": ["error"],
                "properties": {"error": {"type": "string"}},
            }
        }
    },
}


def protocol_paths() -> dict[str, Any]:
    """Return the path items."""
    paths = {
        "/v2": _get("v2Server", "The server"),
        "/v2/health/live": _get("v2Live", "Alive"),
        "/v2/health/ready": _get("v2Ready", "Ready"),
    }
    for path, suffix in (
        ("/v2/models/{name}", ""),
        ("/v2/models/{name}/versions/{version}", "Version"),
    ):
        parameters = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in (("name", "version") if suffix else ("name",))
        ]
        infer = {
            "operationId": f"v2Infer{suffix}",
            "summary": "One inference over tensors",
            "tags": ["open inference protocol"],
            "security": [{"token": []}, {}],
            "requestBody": {
                "required": True,
                "content": {JSON_TYPE: {}, "application/octet-stream": {}},
            },
            "responses": _GOOD | {"default": _ERROR},
        }
        paths[path] = {"parameters": parameters} | _get(f"v2Model{suffix}", "The model's tensors")
        paths[f"{path}/ready"] = {"parameters": parameters} | _get(f"v2ModelReady{suffix}", "Ready")
        paths[f"{path}/infer"] = {"parameters": parameters, "post": infer}
    return paths


def _get(operation: str, summary: str) -> dict[str, Any]:
    about = {"operationId": operation, "summary": summary, "tags": ["open inference protocol"]}
    return {"get": about | {"security": [], "responses": _GOOD | {"default": _ERROR}}}
