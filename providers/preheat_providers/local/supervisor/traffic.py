"""Which release answers: an engine over the releases of a function, switched between two requests."""

import asyncio
import random
from collections.abc import Callable
from typing import Generic, TypeVar

from preheat.errors import Unavailable
from preheat.interface.message import START_HEADER, Engine, Request, Response
from preheat.interface.problem import problem_response
from preheat_providers.local.supervisor.statistics import Statistics

Member = TypeVar("Member", bound=Engine)


class Traffic(Generic[Member]):
    """Sends requests to the active release, and a share of them to the canary. Implements Engine."""

    def __init__(self, statistics: Statistics, draw: Callable[[], float] = random.random) -> None:
        self._statistics = statistics
        self._draw = draw
        self.active: Member | None = None
        self.canary: Member | None = None
        self.share = 0.0

    @property
    def ready(self) -> bool:
        """Whether the active release takes requests."""
        return self.active is not None and self.active.ready

    @property
    def members(self) -> tuple[Member, ...]:
        """Every release that gets traffic."""
        return tuple(member for member in (self.active, self.canary) if member is not None)

    def switch(self, active: Member, canary: Member | None = None, share: float = 0.0) -> tuple[Member, ...]:
        """Send what comes from now on to these; return those that get nothing any more."""
        before = self.members
        self.active, self.canary, self.share = active, canary, share
        return tuple(member for member in before if member not in self.members)

    async def invoke(self, request: Request) -> Response:
        """Answer `request` by the release whose turn it is."""
        member = self.canary if self.canary is not None and self._draw() < self.share else self.active
        if member is None:
            return problem_response(
                Unavailable("No release is deployed yet.", retry_after_s=1.0), request_id=request.id
            )
        clock = asyncio.get_running_loop().time
        began = clock()
        response = await member.invoke(request)
        self._statistics.record(
            ms=(clock() - began) * 1000,
            cold=response.headers.get(START_HEADER) == "cold",
            status=response.status,
        )
        return response
