"""Ports of 127.0.0.1: taken for an endpoint, or an error that says who has them."""

import errno
import socket
from pathlib import Path

from preheat.errors import ProviderError

HOST = "127.0.0.1"


def bind(port: int) -> socket.socket:
    """Return a socket bound to `port` of 127.0.0.1. Raises ProviderError that names the holder if it can."""
    # asyncio sets TCP_NODELAY only where the protocol is named; without it an answer waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)
    try:
        listener.bind((HOST, port))
    except OSError as exc:
        listener.close()
        if exc.errno != errno.EADDRINUSE:
            raise ProviderError(f"Cannot listen on {HOST}:{port}: {exc.strerror}.") from exc
        holder = holder_of(port)
        raise ProviderError(
            f"Port {port} of {HOST} is in use{f' by {holder}' if holder else ''}.",
            hint="Stop that, or choose another port in preheat.toml: [provider.local] port = ...",
        ) from exc
    return listener


def holder_of(port: int, proc: Path = Path("/proc")) -> str | None:
    """Return which process of this user listens on `port`, such as `python3 (pid 42)`, where /proc tells."""
    inodes = _listening_inodes(proc / "net" / "tcp", port) | _listening_inodes(proc / "net" / "tcp6", port)
    if not inodes:
        return None
    for descriptor in proc.glob("[0-9]*/fd/*"):
        try:
            if str(descriptor.readlink()) in inodes:
                process = descriptor.parents[1]
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:
            continue  # another user's, or gone by now
    return None


def _listening_inodes(table: Path, port: int) -> set[str]:
    if not table.exists():
        return set()
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return {
        f"socket:[{row[9]}]" for row in rows if int(row[1].rpartition(":")[2], 16) == port and row[3] == "0A"
    }
