"""What a bundle needs to answer HTTP by itself, in a container or under `preheat serve`."""

from preheat.bundle.model import Target
from preheat.bundle.shipped import REQUIREMENTS

ENTRY = "preheat.runtime.server.entry"
"""The module that starts the server; naming it is what makes the server ship."""

SCRIPT = "preheat/runtime/server/entry.py"
"""Where that module lies in the code layer."""

HTTP_REQUIREMENTS = (
    "fastapi>=0.115",
    "httptools>=0.6",
    "prometheus-client>=0.21",
    "uvicorn>=0.34",
    "uvloop>=0.21",
)
"""What the server needs beside what every bundle has: our own distribution's ranges, as a test checks."""

GRPC_REQUIREMENTS = ("grpcio>=1.66", "protobuf>=6.30")
"""What it imports as well where it serves gRPC."""


def server_target(*, provider: str, platform: str, python: str, grpc: bool = False) -> Target:
    """Return the target of a machine on which the bundle itself answers HTTP, and gRPC if asked to."""
    return Target(
        provider=provider,
        platform=platform,
        python=python,
        entry=(ENTRY,),
        requirements=(*REQUIREMENTS, *HTTP_REQUIREMENTS, *(GRPC_REQUIREMENTS if grpc else ())),
    )
