"""Function URLs for httpx: they have names that no name service knows."""

from urllib.parse import urlsplit

import httpx


class ByName(httpx.HTTPTransport):
    """Reaches a Function URL at the emulator that is at `server`."""

    def __init__(self, server: str) -> None:
        super().__init__()
        self._server = urlsplit(server)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` to the emulator under the name that it was meant for."""
        if request.url.host != self._server.hostname:
            request.headers["host"] = request.url.host
            request.url = request.url.copy_with(
                scheme="http", host=self._server.hostname, port=self._server.port
            )
        return super().handle_request(request)
