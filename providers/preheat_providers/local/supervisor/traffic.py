"""Which release answers: an engine over the pools of a function, switched between two requests."""

import random
from collections.abc import Callable

from preheat.errors import Unavailable
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat_providers.local.supervisor.pool import Pool


class Traffic:
    """Sends requests to the active pool, and a share of them to the canary. Implements Engine."""

    def __init__(self, draw: Callable[[], float] = random.random) -> None:
        self._draw = draw
        self.active: Pool | None = None
        self.canary: Pool | None = None
        self.share = 0.0

    @property
    def ready(self) -> bool:
        """Whether the active release takes requests."""
        return self.active is not None and self.active.ready

    @property
    def pools(self) -> tuple[Pool, ...]:
        """Every pool that gets traffic."""
        return tuple(pool for pool in (self.active, self.canary) if pool is not None)

    def switch(self, active: Pool, canary: Pool | None = None, share: float = 0.0) -> tuple[Pool, ...]:
        """Send what comes from now on to these; return the pools that get nothing any more."""
        before = self.pools
        self.active, self.canary, self.share = active, canary, share
        return tuple(pool for pool in before if pool not in self.pools)

    async def invoke(self, request: Request) -> Response:
        """Answer `request` by the release whose turn it is."""
        pool = self.canary if self.canary is not None and self._draw() < self.share else self.active
        if pool is None:
            return problem_response(
                Unavailable("No release is deployed yet.", retry_after_s=1.0), request_id=request.id
            )
        return await pool.invoke(request)
