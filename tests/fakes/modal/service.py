"""The gRPC service of Modal, from the installed client's own protocol files.

A handler is a method named as its call: of the request, returning the response or an awaitable of it, or
an asynchronous generator where the call streams. Whatever no handler is named after is journaled and
refused with UNIMPLEMENTED, so a call that a new client makes shows as a failure with its name.
"""

import inspect
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grpclib import GRPCError, Status
from grpclib.const import Handler
from grpclib.server import Server, Stream
from modal_proto.api_grpc import ModalClientBase
from tests.fakes.modal.journal import Entry, Faults, Journal
from tests.fakes.patience import PATIENCE_S


async def _never(stream: Any) -> None:
    raise NotImplementedError


def _routes() -> dict[str, Handler]:
    """Return the client's table of paths and message types."""
    methods = dict.fromkeys(ModalClientBase.__abstractmethods__, _never)
    routes: dict[str, Handler] = type("Routes", (ModalClientBase,), methods)().__mapping__()
    return routes


ROUTES = _routes()


@dataclass(frozen=True)
class Service:
    """What grpclib serves: the handlers of `groups`, for deployers or for one container."""

    groups: Sequence[object]
    journal: Journal
    faults: Faults
    container: str = ""
    allowed: Callable[[Mapping[str, str]], bool] = lambda headers: True

    def __mapping__(self) -> dict[str, Handler]:
        return {path: route._replace(func=self._serve(path)) for path, route in ROUTES.items()}

    def _serve(self, path: str) -> Callable[[Any], Any]:
        rpc = path.rpartition("/")[2]
        handler = next((getattr(group, rpc) for group in self.groups if hasattr(group, rpc)), None)

        async def serve(stream: "Stream[Any, Any]") -> None:
            request = await stream.recv_message()
            assert request is not None, f"{rpc} without a request"
            headers = {name: str(value) for name, value in (stream.metadata or {}).items()}
            self.journal.add(Entry(rpc, request, self.container, headers))
            if not self.allowed(headers):
                raise GRPCError(Status.UNAUTHENTICATED, "Token ID is malformed or unknown")
            await self.journal.bell.until(lambda: rpc not in self.faults.held, PATIENCE_S)
            self.faults.check(rpc)
            if handler is None:
                self.journal.unimplemented.append(rpc)
                raise GRPCError(Status.UNIMPLEMENTED, f"This control plane has no {rpc}")
            answer = handler(request)
            if inspect.isasyncgen(answer):
                async for message in answer:
                    await stream.send_message(message)
            else:
                await stream.send_message(await answer if inspect.isawaitable(answer) else answer)

        return serve


async def listen(server: Server) -> str:
    """Serve on a port of the system's choice and return the address."""
    # With the protocol named: asyncio switches Nagle's algorithm off for such alone, or answers wait 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    await server.start(sock=bound)
    return f"http://127.0.0.1:{bound.getsockname()[1]}"
