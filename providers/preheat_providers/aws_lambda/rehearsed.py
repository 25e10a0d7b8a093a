"""One execution environment without Lambda: `python -S -B -P rehearsed.py DESCRIPTOR MODULE`.

Imports the entry as Lambda's runtime does, and hands it an event of a Function URL for each line that comes
on the descriptor (see preheat.provider.rehearsal.Driven). Never ships, and imports nothing of ours itself.
"""

import importlib
import json
import os
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

LEFT_MS = 60_000
PATH = "/invocations"


class Context:
    """What the function learns of a call."""

    def __init__(self, request_id: str) -> None:
        self.aws_request_id = request_id

    def get_remaining_time_in_millis(self) -> int:
        """Return the whole limit: nobody ends this call."""
        return LEFT_MS


def main(descriptor: int, module: str) -> None:
    """Answer until the line closes."""
    handler = importlib.import_module(module).handler
    for asked in requests(descriptor):
        answer = handler(event_of(asked), Context(asked["id"]))
        text: str = answer["body"]
        body = b64decode(text) if answer.get("isBase64Encoded") else text.encode()
        told = {
            "status": answer["statusCode"],
            "content_type": answer["headers"].get("content-type", ""),
            "body": b64encode(body).decode(),
        }
        line = memoryview(json.dumps(told).encode() + b"\n")
        while line:
            line = line[os.write(descriptor, line) :]


def event_of(asked: dict[str, Any]) -> dict[str, Any]:
    """Return a request as a Function URL sends it (payload format 2.0)."""
    headers = {"content-type": asked["content_type"], "accept": asked["accept"]}
    http = {"method": "POST", "path": PATH, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": PATH,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"http": http, "requestId": asked["id"], "stage": "$default"},
        "body": asked["body"],
        "isBase64Encoded": True,
    }


def requests(descriptor: int) -> Iterator[dict[str, Any]]:
    """Yield what is asked on the line."""
    partial = b""
    while data := os.read(descriptor, 1 << 20):
        *lines, partial = (partial + data).split(b"\n")
        yield from map(json.loads, lines)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
