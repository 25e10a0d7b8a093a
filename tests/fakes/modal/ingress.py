"""Web endpoints: each at an address of its own, so that paths are those that the application sees.

A request becomes an input with the ASGI scope; its body and the answer are ASGI messages in the data
streams of the call. After `timeout_s` without an answer it is a 303 to the same address with the call's
id, which waits again, as https://modal.com/docs/guide/webhook-timeouts says (read 2026-11-21).
"""

import asyncio
import pickle
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from modal_proto import api_pb2
from tests.fakes.modal.exchange import Exchange
from tests.fakes.modal.files import Files
from tests.fakes.modal.state import Call, Function, Input, State

LOCAL = "127.0.0.1"
CALL = "__modal_function_call_id"
PIECE = 1 << 20
UNAUTHORIZED = "modal-http: missing credentials for proxy authorization"


class Ingress:
    """Opens and serves web endpoints. `tokens` are the pairs of proxy auth that are let in."""

    def __init__(self, state: State, exchange: Exchange, files: Files) -> None:
        self.timeout_s = 150.0
        self.tokens = {"wk-plane": "ws-plane"}
        self._state = state
        self._exchange = exchange
        self._files = files
        self._open: dict[tuple[str, ...], asyncio.Task[str]] = {}
        self._runners: list[web.AppRunner] = []

    async def open(self, function: Function, method: str) -> str:
        """Return the address of a web function, or of a method of a class: the same after a redeploy."""
        key = (function.app.environment, function.app.id, function.name, method)
        if key not in self._open:
            serving = self.serve(self._handler(function, method))
            self._open[key] = asyncio.get_running_loop().create_task(serving)
        return await self._open[key]

    async def serve(self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
        """Serve every path by `handler` and return the address."""
        application = web.Application(client_max_size=0)
        application.router.add_route("*", "/{path:.*}", handler)
        return await self.site(application)

    async def site(self, application: web.Application) -> str:
        """Serve an application on a port of the system's choice and return the address."""
        runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, LOCAL, 0)
        await site.start()
        self._runners.append(runner)
        port = runner.addresses[0][1]
        return f"http://{LOCAL}:{port}"

    async def close(self) -> None:
        """Stop serving."""
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))

    def _handler(
        self, function: Function, method: str
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            shape = function.shape
            config = shape.method_definitions[method].webhook_config if method else shape.webhook_config
            key, secret = request.headers.get("Modal-Key", ""), request.headers.get("Modal-Secret")
            if config.requires_proxy_auth and (secret is None or self.tokens.get(key) != secret):
                return web.Response(status=401, text=UNAUTHORIZED)
            if function.app.stopped_at:
                return web.Response(status=404, text="modal-http: app for invoked web endpoint is stopped")
            again = self._state.calls.get(request.query.get(CALL, ""))
            if again is not None:
                return await self._respond(request, again)
            call = self._exchange.call(function)
            feeding = asyncio.get_running_loop().create_task(self._feed(request, call))
            scope = pickle.dumps(((_scope(request),), {}), protocol=4)
            body = api_pb2.FunctionInput(
                args=scope, data_format=api_pb2.DATA_FORMAT_PICKLE, method_name=method
            )
            self._exchange.put(call, body)
            try:
                return await self._respond(request, call)
            except (asyncio.CancelledError, ConnectionResetError):
                self._add(call, api_pb2.Asgi(http_disconnect=api_pb2.Asgi.HttpDisconnect()))
                raise
            finally:
                feeding.cancel()

        return handle

    async def _feed(self, request: web.Request, call: Call) -> None:
        while True:
            piece = await request.content.read(PIECE)
            more = not request.content.at_eof()
            self._add(call, api_pb2.Asgi(http_request=api_pb2.Asgi.HttpRequest(body=piece, more_body=more)))
            if not more:
                return

    def _add(self, call: Call, message: api_pb2.Asgi) -> None:
        call.data_in.append(
            api_pb2.DataChunk(
                data_format=api_pb2.DATA_FORMAT_ASGI,
                data=message.SerializeToString(),
                index=len(call.data_in) + 1,
            )
        )
        self._state.bell.ring()

    async def _respond(self, request: web.Request, call: Call) -> web.StreamResponse:
        (one,) = call.inputs.values()
        if not await self._state.bell.until(lambda: call.data_out or one.output, self.timeout_s):
            location = str(request.url.update_query({CALL: call.id}))
            return web.Response(status=303, headers={"Location": location})
        response: web.StreamResponse | None = None
        sent = 0
        while True:
            await self._state.bell.longer(_Told(call, one), sent)
            if sent >= len(call.data_out):
                break
            chunk = call.data_out[sent]
            sent += 1
            message = api_pb2.Asgi.FromString(chunk.data or self._files.blob(chunk.data_blob_id))
            if message.WhichOneof("type") == "http_response_start":
                response = _begin(message.http_response_start)
                await response.prepare(request)
            elif response is not None:
                await response.write(message.http_response_body.body)
                if not message.http_response_body.more_body:
                    await response.write_eof()
                    return response
        if response is not None:
            raise ConnectionResetError  # the application failed in the middle of its answer
        reason = one.output.result.exception if one.output else ""
        return web.Response(status=500, text=f"modal-http: internal error: function failed: {reason}")


@dataclass(frozen=True)
class _Told:
    """What a container has said of a request: the messages, then that it has ended."""

    call: Call
    one: Input

    def __len__(self) -> int:
        return len(self.call.data_out) + (self.one.output is not None)


def _scope(request: web.Request) -> dict[str, object]:
    path, _, query = request.raw_path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https",
        "path": request.path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.raw_headers],
        "client": (request.remote, 0),
        "server": (request.url.host, request.url.port),
        "extensions": {},
    }


def _begin(start: api_pb2.Asgi.HttpResponseStart) -> web.StreamResponse:
    response = web.StreamResponse(status=start.status)
    pairs = list(start.headers)
    for name, value in zip(pairs[::2], pairs[1::2], strict=True):
        if name.lower() != b"transfer-encoding":
            response.headers.add(name.decode("latin-1"), value.decode("latin-1"))
    return response
