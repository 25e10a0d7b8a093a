"""What one process with the model answers: the surface over its engine, and what it tells of requests.

Importing this imports the HTTP server, so a thread does that while the model loads.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from preheat.errors import HandlerError
from preheat.interface.message import Engine
from preheat.runtime.access import AccessLog
from preheat.runtime.engines import guarded
from preheat.runtime.grpc import Served, serve_grpc
from preheat.runtime.inference.model import InferenceModel
from preheat.runtime.loader import Model
from preheat.runtime.log import log_to_stderr
from preheat.runtime.metrics import Metrics
from preheat.runtime.server.bundled import Bundled
from preheat.runtime.server.exposition import SharedExposition
from preheat.runtime.server.http import Endpoint
from preheat.runtime.server.tokens import bearer_check, open_door, token_hash
from preheat.runtime.server.whole import Whole
from preheat.runtime.surface import Settings, Surface
from preheat.runtime.surface.settings import Authenticate
from preheat.runtime.tracing import open_tracing

if TYPE_CHECKING:
    from preheat.runtime.grpc.server import GrpcServer

LAST_LINES_S = 5.0
"""How long standard output may take the last lines: its reader may be waiting for the processor."""
LAST_SPANS_S = 1.0
"""How long the last spans may take: what collects them often ends at the same moment."""


class Application:
    """The surface of `model`, which `engine` runs; `on_closed` is Endpoint's.

    `known` has its examples and the answers to them as JSON values, for the contract document.
    """

    def __init__(
        self,
        bundled: Bundled,
        model: Model,
        engine: Engine,
        known: Mapping[str, Any],
        *,
        on_closed: Callable[[], None],
    ) -> None:
        config, name = bundled.config, bundled.manifest.name
        logging.getLogger().addHandler(JsonLines())
        document = {**model.contract.document(), **known}
        if config.whole:
            engine = Whole(engine)
        front = guarded(engine, document, config.release, circuit=config.circuit)
        metrics = Metrics(circuit_open=lambda: front.circuit_open)
        self._access = AccessLog(_line_by_line) if config.access_log else None
        self._tracing = open_tracing(name, config.stage)
        self._shared: SharedExposition | None = None
        if config.folder is not None:
            self._shared = SharedExposition(
                metrics.render, slot=config.slot, workers=config.workers, folder=config.folder
            )
        door = _door(config.token_env)
        settings = Settings(
            engine=front,
            document=document,
            name=name,
            version=config.release,
            limits=model.limits,
            jobs=None,
            metrics=metrics,
            authenticate=door,
            access=self._access,
            tracing=self._tracing,
            always_well=config.ping_decides,
            exposition=self._shared.render if self._shared else None,
        )
        self.endpoint = Endpoint(Surface(settings), on_closed=on_closed)
        self._config = config
        self._grpc: GrpcServer | None = None
        self._served = Served(
            model=InferenceModel(engine=front, document=document, name=name, version=config.release),
            limits=model.limits,
            authenticate=door,
            telemetry=settings.telemetry,
        )

    @property
    def grpc_port(self) -> int | None:
        """Where gRPC is served, if it is."""
        return None if self._grpc is None else self._grpc.port

    async def open(self) -> None:
        """Open what other workers ask, and gRPC; connections of HTTP are the caller's."""
        if self._shared is not None:
            await self._shared.open()
        if self._config.grpc_port is not None:
            host, port = self._config.host, self._config.grpc_port
            self._grpc = await serve_grpc(self._served, host=host, port=port)

    async def stop(self, limit_s: float, *, idle_s: float) -> int:
        """Let what is in hand be answered, for `limit_s` at most; return how many requests were cut off."""
        async with asyncio.TaskGroup() as group:
            http = group.create_task(self.endpoint.stop(limit_s, idle_s=idle_s))
            if self._grpc is not None:
                group.create_task(self._grpc.stop(limit_s))
        return http.result()

    async def close(self) -> None:
        """Answer no other worker, and write what is still to be told of requests."""
        if self._shared is not None:
            self._shared.close()
        await asyncio.to_thread(self._flush)

    def _flush(self) -> None:
        if self._access is not None:
            self._access.close(LAST_LINES_S)
        if self._tracing is not None:
            self._tracing.close(LAST_SPANS_S)


class JsonLines(logging.Handler):
    """Makes what the `logging` module is told events like all others."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record` to standard error."""
        event = {"level": record.levelname.lower(), "event": "log", "logger": record.name}
        event["message"] = record.getMessage()
        if (request_id := getattr(record, "request_id", None)) is not None:
            event["request_id"] = request_id
        if record.exc_info:
            event["traceback"] = logging.Formatter().formatException(record.exc_info)
        log_to_stderr(event)


def _door(token_env: str | None) -> Authenticate:
    if token_env is None:
        return open_door
    token = os.environ.get(token_env)
    if not token:
        raise HandlerError(
            f"The variable {token_env} should hold the token of this endpoint, and is not set."
        )
    return bearer_check(token_hash(token))


def _line_by_line(text: bytes) -> None:
    """Write lines to standard output one by one: a pipe keeps those of several processes whole.

    It does up to PIPE_BUF bytes (pipe(7)), and no line of the access log has so many.
    """
    for line in text.splitlines(keepends=True):
        os.write(1, line)
