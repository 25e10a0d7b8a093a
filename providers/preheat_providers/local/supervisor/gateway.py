"""Ports of 127.0.0.1, where every endpoint of this machine is."""

import socket

from preheat.runtime.server import listening

HOST = "127.0.0.1"
HINT = "Stop that, or choose another port in preheat.toml: [provider.local] port = ..."


def bind(port: int) -> socket.socket:
    """Return a socket bound to `port` of 127.0.0.1. Raises ProviderError that names the holder if it can."""
    return listening.bind(HOST, port, hint=HINT)
