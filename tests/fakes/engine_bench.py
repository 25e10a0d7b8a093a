"""An engine over one handler, on threads and an event loop of its own."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from tests.fakes.advancing_loop import run_advancing
from tests.fakes.models import model_of
from tests.fakes.patience import PATIENCE_S

from preheat import Handler
from preheat.interface.manifest import Limits
from preheat.interface.message import Request, Response
from preheat.runtime.engine import ModelEngine
from preheat.runtime.model_thread import ModelThread

Scenario = Callable[["Bench"], Awaitable[None]]


class Bench:
    """An engine over one handler, with what it logs."""

    def __init__(self, handler: type[Handler], limits: Limits, **options: Any) -> None:
        self.model = model_of(handler, limits=limits)
        self.log: list[dict[str, Any]] = []
        self.stuck = asyncio.Event()
        self.thread = ModelThread()
        threads = (self.model.contract.threads,)
        threading.Thread(target=self.thread.run, args=threads, name="model", daemon=True).start()
        options = {"clock": asyncio.get_running_loop().time, **options}
        self.engine = ModelEngine(
            self.model, self.thread, log=self.log.append, on_stuck=self.stuck.set, **options
        )

    async def ask(self, value: object, **fields: Any) -> Response:
        fields = {"id": "r1", "body": json.dumps(value).encode(), **fields}
        return await self.engine.invoke(Request(**fields))


def run(handler: type[Handler], scenario: Scenario, *, limits: Limits | None = None, **options: Any) -> Bench:
    async def main() -> Bench:
        bench = Bench(handler, limits or Limits(), **options)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await scenario(bench)
        finally:
            bench.thread.shutdown()
        return bench

    return run_advancing(main())
