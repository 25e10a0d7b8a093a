"""What an operator may ask of the supervisor: each order is a JSON object with an `op`, each result JSON."""

import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import preheat
from preheat.errors import ProviderError
from preheat_providers.local.supervisor.functions import Say
from preheat_providers.local.supervisor.home import Home
from preheat_providers.local.supervisor.spec import read_spec

Order = Mapping[str, Any]


class Deliveries(Protocol):
    """What an operator can do to the deliveries of triggers."""

    async def replay(self, function: str) -> int:
        """Queue every dead-lettered delivery again; return how many."""
        ...

    async def backfill(self, function: str, source: str) -> int:
        """Queue the objects that exist under `source`; return how many."""
        ...


class Orders:
    """Performs orders on one home. `on_quit` is called for `shutdown`."""

    def __init__(self, home: Home, deliveries: Deliveries, *, on_quit: Callable[[], None]) -> None:
        self.home = home
        self._deliveries = deliveries
        self._on_quit = on_quit

    async def perform(self, order: Order, say: Say) -> Any:
        """Perform one order and return its result; `say` hears of its steps."""
        match order["op"]:
            case "hello":
                return {"version": preheat.__version__, "pid": os.getpid()}
            case "shutdown":
                return self._on_quit()
            case "deploy":
                return await self.home.deploy(read_spec(order["spec"]), order["secrets"], say)
            case "status":
                return self.home.statuses(order["name"], order["stage"])
            case _:
                return await self._perform_on(order["name"], order["stage"], order)

    async def _perform_on(self, name: str, stage: str, order: Order) -> Any:
        home = self.home
        match order["op"]:
            case "deployment":
                return home.function(name, stage).deployment()
            case "observe":
                return home.observe(name, stage)
            case "releases":
                return home.releases(name, stage)
            case "rollback":
                return await home.rollback(name, stage, order["release"])
            case "promote":
                return await home.promote(name, stage, order["canary"])
            case "replay":
                return await self._deliveries.replay(home.function(name, stage).key)
            case "backfill":
                return await self._deliveries.backfill(home.function(name, stage).key, order["source"])
            case "destroy":
                return await home.destroy(name, stage)
            case unknown:
                raise ProviderError(f"The supervisor knows no order {unknown!r}.")
