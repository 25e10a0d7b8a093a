"""A server on a free port that answers as its script says, byte by byte or not at all."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

SCHEMA = b'{"title": "Slow", "input": {}, "output": {}, "stream": true, "input_media": ["application/json"]}'
GAP_S = 0.02


def head(content_type: bytes, length: int) -> bytes:
    """Return the head of a good answer."""
    return b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n" % (content_type, length)


@contextmanager
def trickling(at_once: bytes, *, slowly: bytes) -> Iterator[str]:
    """Serve: /schema at once; anything else gets `at_once`, then `slowly` a byte each GAP_S, then silence."""
    over = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while request := connection.recv(65536):
                if request.startswith(b"GET /schema"):
                    connection.sendall(head(b"application/json", len(SCHEMA)) + SCHEMA)
                    continue
                connection.sendall(at_once)
                for byte in slowly:
                    if over.wait(GAP_S):
                        return
                    connection.sendall(bytes([byte]))
                over.wait()

    def accept() -> None:
        threads: list[threading.Thread] = []
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()
        _join(threads)

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        over.set()
        # close() alone does not wake a thread in accept().
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        accepting.join()


def _join(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.join()
