"""The gRPC address of one function, where `[provider.local] grpc_port` asks for one."""

from pathlib import Path
from typing import TYPE_CHECKING

from preheat.runtime.grpc import Served, require_grpc, serve_grpc
from preheat.runtime.server.listening import bind
from preheat_providers.local.options import Options
from preheat_providers.local.supervisor.gateway import HOST
from preheat_providers.local.supervisor.tls import server_pem

if TYPE_CHECKING:
    from preheat.runtime.grpc.server import GrpcServer

HINT = "Stop that, or choose another port in preheat.toml: [provider.local] grpc_port = ..."


class GrpcDoor:
    """Shows what `show` was last given, at the port that its options named."""

    def __init__(self) -> None:
        self._server: GrpcServer | None = None
        self._tls = False

    @property
    def address(self) -> str | None:
        """What a client of gRPC is given, without a scheme; None where nothing is served."""
        return None if self._server is None else f"{HOST}:{self._server.port}"

    def check(self, options: Options) -> None:
        """Raise MissingExtra or ProviderError where `show` could not serve."""
        if options.grpc_port is None:
            return
        require_grpc()
        if self._server is None or self._server.port != options.grpc_port:
            bind(HOST, options.grpc_port, hint=HINT).close()

    async def show(self, served: Served, options: Options, certificates: Path, *, stop_s: float) -> None:
        """Serve `served`, or nothing. Calls in hand at an address that closes get `stop_s`."""
        if self._server is not None and self._fits(self._server, served, options):
            self._server.served = served
            return
        self.check(options)
        tls = server_pem(certificates) if options.tls and options.grpc_port is not None else None
        await self.stop(stop_s)
        if options.grpc_port is None:
            return
        self._server = await serve_grpc(served, host=HOST, port=options.grpc_port, tls=tls)
        self._tls = options.tls

    async def stop(self, limit_s: float) -> None:
        """Let the calls in hand be answered, for `limit_s` at most."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop(limit_s)

    def _fits(self, server: "GrpcServer", served: Served, options: Options) -> bool:
        same_limit = server.served.limits.body_bytes == served.limits.body_bytes
        return same_limit and (server.port, self._tls) == (options.grpc_port, options.tls)
