"""The line to the supervisor: JSON lines on a Unix socket; a process says how it is and is told to stop.

    worker     -> hello, then ready or failed; stuck
    zygote     -> hello, then zygote (whether it can fork) or failed; exited for each child
    supervisor -> {"op": "drain"}; to a zygote also {"op": "fork", "id", "socket", "tmp"}

When the supervisor's end closes, the process ends at once: nobody is left to answer to.
"""

import json
import os
import socket
import threading
from collections.abc import Mapping
from typing import Any

LINE_BYTES = 64 * 1024


class Control:
    """One connection to the supervisor. Sending is safe from every thread."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._partial = b""

    @classmethod
    def connect(cls, path: str) -> "Control":
        """Connect to the supervisor that listens on the Unix socket `path`."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(path)
        return cls(connection)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._connection.fileno()

    def send(self, event: Mapping[str, Any]) -> None:
        """Send one event. Ends the process when the supervisor is gone."""
        line = json.dumps(event, ensure_ascii=False).encode(errors="replace") + b"\n"
        with self._lock:
            try:
                self._connection.sendall(line)
            except OSError:
                os._exit(1)

    def receive(self) -> list[dict[str, Any]]:
        """Return the orders that have arrived. Ends the process when the supervisor is gone."""
        try:
            data = self._connection.recv(LINE_BYTES)
        except OSError:
            data = b""
        if not data:
            os._exit(1)
        *lines, self._partial = (self._partial + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        """Close this process's end."""
        self._connection.close()


def redirect_output(path: str, worker_id: str) -> None:
    """Send what this process prints to the supervisor at `path`, as the output of `worker_id`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(path)
        connection.sendall(json.dumps({"event": "output", "id": worker_id}).encode() + b"\n")
        os.dup2(connection.fileno(), 1)
        os.dup2(connection.fileno(), 2)
