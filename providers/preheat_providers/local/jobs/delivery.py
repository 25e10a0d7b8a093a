"""What a trigger adds to a queued row: how its request is read and where its answer goes."""

from collections.abc import Mapping
from typing import Any, Protocol

from preheat.interface.message import Request, Response
from preheat_providers.local.jobs.model import Claim


class Superseded(Exception):
    """Not an error: the object changed since the event; the new version is another delivery."""


class Deliveries(Protocol):
    """One function's deliveries. A RequestError of 5xx is tried again; one of 4xx ends the delivery."""

    async def request(self, claim: Claim) -> Request:
        """Return the request that the event stands for. Raises Superseded or a RequestError."""
        ...

    async def succeeded(self, claim: Claim, response: Response) -> None:
        """Write the answer to the sink. Runs again after a crash, so it must be idempotent."""
        ...

    async def failed(self, claim: Claim, problem: Mapping[str, Any]) -> None:
        """Keep the delivery as a dead letter. Runs again after a crash, so it must be idempotent."""
        ...
