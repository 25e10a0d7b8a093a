"""One request, and its answer over HTTP and as an event of Lambda."""

import http.client
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from tests.fakes.lambda_emulator import Reply
from tests.fakes.patience import PATIENCE_S

Answer = tuple[int, str, bytes]
"""Status, content type and body."""
Make = Callable[[str, bytes | None, Mapping[str, str], str], Mapping[str, Any]]
"""Makes an event of a path, a body, headers and a method."""

JSON = {"content-type": "application/json"}


class Invoked(Protocol):
    """A function under the emulator, however that was started."""

    def invoke(self, event: object) -> Reply:
        """Hand it an event and return what came of it."""
        ...


@dataclass(frozen=True)
class Asked:
    """A request. Its id is fixed, so that the answers of two platforms name the same one."""

    body: bytes | None
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    path: str = "/invocations"
    method: str = "POST"

    @property
    def sent(self) -> dict[str, str]:
        """The headers with the id."""
        return {"x-request-id": "r-1", **self.headers}


def ask_endpoint(endpoint: str, asked: Asked) -> Answer:
    """Send a request over HTTP and read the answer to its end."""
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=PATIENCE_S)
    try:
        connection.request(asked.method, asked.path, asked.body, asked.sent)
        answer = connection.getresponse()
        return answer.status, str(answer.getheader("content-type", "")), answer.read()
    finally:
        connection.close()


def ask_function(function: Invoked, asked: Asked, make: Make) -> Answer:
    """Hand a request to a function as the event that `make` makes, and read its answer as Lambda does."""
    value = function.invoke(make(asked.path, asked.body, asked.sent, asked.method)).value
    assert "statusCode" in value, value
    body = value["body"]
    headers = value.get("headers") or {name: given[0] for name, given in value["multiValueHeaders"].items()}
    sent = b64decode(body) if value["isBase64Encoded"] else body.encode()
    return value["statusCode"], headers.get("content-type", ""), sent
