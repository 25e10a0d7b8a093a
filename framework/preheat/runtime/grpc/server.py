"""A grpc.aio server on the running event loop, within limits."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from preheat.errors import ProviderError
from preheat.runtime.grpc.served import Served
from preheat.runtime.grpc.service import METHODS, Call, Failure, scope_of
from preheat.runtime.grpc.statuses import code_of, details_of, trailers
from preheat.runtime.metrics import Outcome
from preheat.runtime.requests import Incoming

CALLS = 1024
"""How many calls are in hand at once; more are refused with RESOURCE_EXHAUSTED."""
CALLS_PER_CONNECTION = 128

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]
    Handler = grpc.RpcMethodHandler[Any, Any]


class GrpcServer:
    """Listens on one address. `served` may be replaced at any moment, by one with the same body limit."""

    def __init__(self, served: Served, *, tls: bytes | None = None) -> None:
        self.served = served
        self.port = 0
        self._tls = tls
        self._server = grpc.aio.server(
            options=(
                ("grpc.max_receive_message_length", served.limits.body_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_concurrent_streams", CALLS_PER_CONNECTION),
                # A port that another process has is an error, not a port to share.
                ("grpc.so_reuseport", 0),
            ),
            maximum_concurrent_rpcs=CALLS,
        )
        self._server.add_generic_rpc_handlers((_Methods(self._answer),))

    async def start(self, host: str, port: int) -> int:
        """Accept connections; return the port. Raises ProviderError where it cannot be had."""
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            if self._tls is None:
                self.port = self._server.add_insecure_port(address)
            else:
                credentials = grpc.ssl_server_credentials([(self._tls, self._tls)])
                self.port = self._server.add_secure_port(address, credentials)
        except RuntimeError as exc:
            raise ProviderError(f"Cannot listen for gRPC on {address}: is the port in use?") from exc
        await self._server.start()
        return self.port

    async def stop(self, limit_s: float) -> None:
        """Accept nothing more and let the calls in hand be answered, for `limit_s` at most."""
        await self._server.stop(limit_s)

    async def _answer(self, method: str, data: bytes, context: "Context") -> bytes:
        served = self.served
        found = Incoming.read(_metadata(context))
        exchange = served.telemetry.begin(scope_of(method), found.id, found.headers)
        exchange.bytes_in = len(data)
        call = Call(served, method, found, exchange, context.time_remaining())
        outcome: Outcome | None = "cancelled"  # unless an answer is made
        try:
            answer = await call.answer(data)
            outcome = None
        finally:
            exchange.finish(outcome)
        if isinstance(answer, Failure):
            await context.abort(
                code_of(answer.status), details_of(answer.reason), tuple(trailers(found.id, answer.headers))
            )
        context.set_trailing_metadata(tuple(trailers(found.id, call.headers)))
        return answer


class _Methods(grpc.GenericRpcHandler):
    """Finds the method of a call; without one, gRPC answers UNIMPLEMENTED."""

    def __init__(self, answer: Callable[[str, bytes, "Context"], Awaitable[bytes]]) -> None:
        self._answer = answer

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "Handler | None":
        method = handler_call_details.method
        if method not in METHODS:
            return None

        async def behave(data: bytes, context: "Context") -> bytes:
            return await self._answer(method, data, context)

        return grpc.unary_unary_rpc_method_handler(behave)


def _metadata(context: "Context") -> list[tuple[bytes, bytes]]:
    """Return the call's metadata as headers; what ends in -bin is bytes and none of ours."""
    return [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in context.invocation_metadata() or ()
        if isinstance(value, str)
    ]
