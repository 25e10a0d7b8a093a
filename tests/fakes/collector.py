"""An OpenTelemetry collector on loopback: takes traces over OTLP/HTTP, as protobuf, and keeps them."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from tests.fakes.patience import PATIENCE_S


@dataclass(frozen=True, slots=True)
class Exported:
    """One span as it arrived; `parent` is empty for the first of a trace."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str | int | bool]


class Collector:
    """Has `url` while it serves. With `stuck` it takes a request and never answers it."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.spans: list[Exported] = []
        self.changed = threading.Condition()
        self.closing = threading.Event()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if stuck:
                    collector.closing.wait(PATIENCE_S)
                    return
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                right = self.path == "/v1/traces" and self.headers["content-type"] == "application/x-protobuf"
                if right:
                    collector.take(ExportTraceServiceRequest.FromString(body))
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200 if right else 404)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def serving(self) -> Iterator["Collector"]:
        """Serve until the context ends."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self.closing.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def take(self, request: ExportTraceServiceRequest) -> None:
        """Keep the spans of one export."""
        with self.changed:
            for resource in request.resource_spans:
                named = {each.key: each.value.string_value for each in resource.resource.attributes}
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        self.spans.append(
                            Exported(
                                service=named["service.name"],
                                name=span.name,
                                trace=span.trace_id.hex(),
                                id=span.span_id.hex(),
                                parent=span.parent_span_id.hex(),
                                attributes={
                                    each.key: getattr(each.value, each.value.WhichOneof("value") or "")
                                    for each in span.attributes
                                },
                            )
                        )
            self.changed.notify_all()

    def until(self, enough: Callable[[list[Exported]], bool]) -> list[Exported]:
        """Wait until what has arrived is `enough`; return it."""
        with self.changed:
            assert self.changed.wait_for(lambda: enough(self.spans), PATIENCE_S), self.spans
            return list(self.spans)
