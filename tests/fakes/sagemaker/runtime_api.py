"""InvokeEndpointAsync and InvokeEndpoint over HTTP, for real boto3, in front of our own endpoints."""

import http.client
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.patience import PATIENCE_S
from tests.fakes.sagemaker.endpoint import AsyncEndpoint
from tests.fakes.sagemaker.invocation import INLINE_BYTES, TIMEOUT_S, TTL_S, Invocation

PREFIX = "X-Amzn-SageMaker-"
HANDED_ON = ("Content-Type", "Accept", f"{PREFIX}Custom-Attributes", f"{PREFIX}Inference-Id")


def read_invocation(headers: Mapping[str, str], body: bytes, now: float) -> Invocation:
    """Return what one call asks for. Raises ValueError with what AWS would refuse."""
    given = {
        name: headers.get(PREFIX + name) for name in ("InputLocation", "S3OutputPathExtension", "Filename")
    }
    if (given["InputLocation"] is None) == (not body):
        raise ValueError("Body and InputLocation are mutually exclusive. Provide exactly one of them.")
    if len(body) > INLINE_BYTES:
        raise ValueError(f"The inline payload has {len(body)} bytes; the limit is {INLINE_BYTES}.")
    return Invocation(
        id=headers.get(PREFIX + "Inference-Id") or str(uuid.uuid4()),
        created=now,
        input=given["InputLocation"],
        body=body or None,
        content_type=headers.get(PREFIX + "Content-Type"),
        accept=headers.get(PREFIX + "Accept"),
        attributes=headers.get(PREFIX + "Custom-Attributes"),
        ttl_s=float(headers.get(PREFIX + "RequestTTLSeconds", TTL_S)),
        timeout_s=float(headers.get(PREFIX + "InvocationTimeoutSeconds", TIMEOUT_S)),
        extension=given["S3OutputPathExtension"],
        filename=given["Filename"],
    )


@contextmanager
def serving(
    endpoints: Mapping[str, AsyncEndpoint],
    containers: Mapping[str, str] = MappingProxyType({}),
    *,
    clock: Callable[[], float] = time.time,
) -> Iterator[str]:
    """Answer for `endpoints`, by name, until the block ends; yield the address.

    `containers` has the address of the container of each endpoint that answers at once.
    """

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            _, _, name, operation = self.path.split("/")
            if operation == "invocations" and name in containers:
                self._hand_on(containers[name], body)
                return
            try:
                if name not in endpoints:
                    raise ValueError(f"Endpoint {name} of account 123456789012 not found.")
                asked = read_invocation(self.headers, body, clock())  # type: ignore[arg-type]
            except ValueError as error:
                self._send(400, {"message": str(error)}, {"x-amzn-ErrorType": "ValidationError"})
                return
            output, failure = endpoints[name].submit(asked)
            told = {PREFIX + "OutputLocation": output}
            told |= {} if failure is None else {PREFIX + "FailureLocation": failure}
            self._send(202, {"InferenceId": asked.id}, told)

        def _hand_on(self, container: str, body: bytes) -> None:
            """Ask the container. What is no 2xx becomes a ModelError, as the API's reference has it."""
            kept = {name: self.headers[name] for name in HANDED_ON if name in self.headers}
            connection = http.client.HTTPConnection(urlsplit(container).netloc, timeout=PATIENCE_S)
            connection.request("POST", "/invocations", body, kept)
            answer = connection.getresponse()
            said = answer.read()
            connection.close()
            if 200 <= answer.status < 300:
                self._write(200, said, {"Content-Type": answer.headers.get("content-type", "")})
                return
            error = {"OriginalStatusCode": answer.status, "OriginalMessage": said.decode()}
            text = f"Received error ({answer.status}) from primary"
            self._send(424, {"Message": text, **error}, {"x-amzn-ErrorType": "ModelError"})

        def _send(self, status: int, document: Any, headers: Mapping[str, str]) -> None:
            self._write(status, json.dumps(document).encode(), headers)

        def _write(self, status: int, text: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for header, value in headers.items():
                self.send_header(header, value)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
