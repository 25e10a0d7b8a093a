"""A port for what wants to be told one."""

import socket


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody had a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
