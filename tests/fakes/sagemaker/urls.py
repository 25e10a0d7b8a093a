"""Events of a Function URL, and what the front answers to one."""

import json
from base64 import b64decode, b64encode
from typing import Any

ID = "5f1c2d3e-0000-4000-8000-000000000000"


def url_event(method: str, path: str, body: bytes = b"", /, **headers: str) -> dict[str, Any]:
    """Return the event of one request; `_` in a header's name stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    event: dict[str, Any] = {
        "version": "2.0",
        "rawPath": path,
        "headers": named,
        "requestContext": {"http": {"method": method, "path": path}, "requestId": ID},
        "isBase64Encoded": False,
    }
    if body:
        event |= {"body": b64encode(body).decode(), "isBase64Encoded": True}
    return event


def body_of(reply: dict[str, Any]) -> bytes:
    """Return the bytes of an answer."""
    text: str = reply["body"]
    return b64decode(text) if reply["isBase64Encoded"] else text.encode()


def json_of(reply: dict[str, Any]) -> Any:
    """Return the JSON of an answer."""
    return json.loads(body_of(reply))
