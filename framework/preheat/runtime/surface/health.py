"""/ping, /healthz and /readyz: what load balancers, SageMaker and orchestrators ask."""

from starlette.types import Receive, Scope, Send

from preheat.errors import Unavailable
from preheat.interface.message import Engine, Response
from preheat.runtime.surface.outgoing import send_response

RETRY_AFTER_S = 1.0

_ALIVE = {"/ping": None, "/readyz": b'{"status":"ready"}', "/healthz": b'{"status":"alive"}'}
PATHS = frozenset(_ALIVE)


class Health:
    """Answers GET and HEAD; needs no token, and says only whether the process lives and takes requests."""

    def __init__(self, engine: Engine, *, always_well: bool = False) -> None:
        self._engine = engine
        self._unasked = {"/healthz", "/ping"} if always_well else {"/healthz"}

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Answer one request. Raises Unavailable where no request would be taken now."""
        path = scope["path"]
        if path not in self._unasked and not self._engine.ready:
            raise Unavailable("Not ready: no request would be taken now.", retry_after_s=RETRY_AFTER_S)
        body = _ALIVE[path]
        response = Response(content_type="text/plain") if body is None else Response(body=body)
        await send_response(response, send)
