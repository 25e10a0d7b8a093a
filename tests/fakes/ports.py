"""A port for what wants to be told one."""

import fcntl
import os
import random
import socket
from functools import cache
from pathlib import Path

PORTS = range(10_000, 20_000)
"""Below what Linux gives to sockets that ask for none (ip_local_port_range in ip(7)), and what the local
provider gives to functions."""
GIVEN = Path(f"/tmp/preheat-ports-{os.getuid()}")
"""The byte at a port's number is locked by the process that was told it, to its end: nothing else holds a
port until it is bound."""

_given: set[int] = set()


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free, and that no process was told before that still runs."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        if port not in _given and _is_ours(port) and _is_free(port):
            _given.add(port)
            return port


def _is_ours(port: int) -> bool:
    try:
        fcntl.lockf(_locks(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _locks() -> int:
    return os.open(GIVEN, os.O_RDWR | os.O_CREAT, 0o600)


def _is_free(port: int) -> bool:
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
