"""Ports of 127.0.0.1, where every endpoint of this machine is."""

import random
import socket
from contextlib import suppress
from pathlib import Path

from preheat.errors import ProviderError
from preheat.runtime.server import listening

HOST = "127.0.0.1"
HINT = "Stop that, or choose another port in preheat.toml: [provider.local] port = ..."
LOWEST_PORT = 20_000
TRIES = 20
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def bind(port: int) -> socket.socket:
    """Return a socket bound to `port` of 127.0.0.1. Raises ProviderError that names the holder if it can."""
    return listening.bind(HOST, port, hint=HINT)


def bind_lasting(ephemeral: Path = EPHEMERAL) -> socket.socket:
    """Return a socket bound to a free port that can be had again after a restart.

    Linux gives outgoing connections the ports of a range (ip_local_port_range in ip(7)), so this
    takes one below it. Where there is no such range or no such port, it is any free one.
    """
    try:
        first = int(ephemeral.read_text().split()[0])
    except OSError:
        return bind(0)
    for _ in range(TRIES if first > LOWEST_PORT else 0):
        with suppress(ProviderError):
            return bind(random.SystemRandom().randrange(LOWEST_PORT, first))
    return bind(0)
