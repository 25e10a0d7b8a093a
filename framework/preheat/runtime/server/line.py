"""The line between the host of a server and one of its workers: a byte with a meaning, perhaps a connection.

    host   -> CONNECTION with a descriptor
    worker -> READY; CLOSED for each connection that ended; LEAVING when it must get no more

An end that closes says that its process is gone. A host that wants a worker to end closes its end for
sending: that needs no room in a line that is full, and comes behind the connections that are in it.
"""

import socket
import sys

CONNECTION = b"c"
READY, CLOSED, LEAVING = b"r", b"x", b"l"
DESCRIPTOR_BYTES = 4


def make_line() -> tuple[socket.socket, socket.socket]:
    """Return the host's end, which never blocks, and the worker's, which waits for room to send only."""
    host, worker = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    host.setblocking(False)
    return host, worker


def receive(end: socket.socket) -> tuple[bytes, socket.socket | None] | None:
    """Return one message, (b"", None) when the other end sends no more, or None when there is none now."""
    # Not socket.recv_fds, which takes flags and drops them (python/cpython Lib/socket.py, 3.11).
    try:
        message, attached, _, _ = end.recvmsg(
            1, socket.CMSG_LEN(DESCRIPTOR_BYTES), socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
        )
    except BlockingIOError:
        return None
    except ConnectionError:
        return b"", None
    if not attached:
        return message, None
    connection = socket.socket(fileno=int.from_bytes(attached[0][2], sys.byteorder))
    connection.setblocking(False)
    return message, connection
