"""The gRPC surface of the Open Inference Protocol. Its packages come with the extra `grpc`."""

from typing import TYPE_CHECKING

from preheat.errors import MissingExtra
from preheat.runtime.grpc.served import Served

if TYPE_CHECKING:
    from preheat.runtime.grpc.server import GrpcServer

__all__ = ["Served", "require_grpc", "serve_grpc"]


def require_grpc() -> None:
    """Raise MissingExtra unless the extra's packages are installed."""
    try:
        import google.protobuf  # noqa: F401
        import grpc  # noqa: F401
    except ModuleNotFoundError as exc:
        raise MissingExtra(
            f"gRPC needs the module {exc.name!r}, which is not installed.", hint="pip install 'preheat[grpc]'"
        ) from exc


async def serve_grpc(served: Served, *, host: str, port: int, tls: bytes | None = None) -> "GrpcServer":
    """Serve gRPC at `host`, on a free port if `port` is 0; `tls` is PEM: a private key and its chain.

    Raises MissingExtra, and ProviderError where the port cannot be had.
    """
    require_grpc()
    from preheat.runtime.grpc.server import GrpcServer  # the extra is optional

    server = GrpcServer(served, tls=tls)
    await server.start(host, port)
    return server
