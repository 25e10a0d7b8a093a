"""Ports of this machine: taken for an endpoint, or an error that says who has them."""

import errno
import socket
from pathlib import Path

from preheat.errors import ProviderError


def bind(host: str, port: int, *, hint: str) -> socket.socket:
    """Return a socket bound to `port` of `host`, an address; port 0 takes a free one.

    Raises ProviderError, which names the port's holder if it can, with `hint` as what to do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it an answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)
    try:
        listener.bind((host, port))
    except OSError as exc:
        listener.close()
        if exc.errno != errno.EADDRINUSE:
            raise ProviderError(f"Cannot listen on {host}:{port}: {exc.strerror}.", hint=hint) from exc
        holder = holder_of(port)
        raise ProviderError(
            f"Port {port} of {host} is in use{f' by {holder}' if holder else ''}.", hint=hint
        ) from exc
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the URL of what answers on `listener`."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


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
