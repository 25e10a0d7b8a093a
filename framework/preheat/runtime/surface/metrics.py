"""GET /metrics: Prometheus text."""

from starlette.types import Receive, Scope, Send

from preheat.interface.message import Response
from preheat.runtime.surface.incoming import incoming
from preheat.runtime.surface.outgoing import send_response
from preheat.runtime.surface.settings import Settings

ROUTE = "/metrics"


class MetricsText:
    """Shows the traffic to whoever may run the model."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Answer one request. Raises Unauthorized."""
        settings = self._settings
        settings.authenticate(incoming(scope).headers)
        media_type, text = await settings.exposition() if settings.exposition else settings.metrics.render()
        await send_response(Response(content_type=media_type, body=text), send)
