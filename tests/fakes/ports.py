"""A port for what wants to be told one."""

import random
import socket

PORTS = range(15_000, 32_000)
"""Below what Linux gives to sockets that ask for none (ip_local_port_range in ip(7))."""

_given: set[int] = set()


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free, and that this process was not told before."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
