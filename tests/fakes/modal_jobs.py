"""What jobs need of Modal, in memory: a Dict, and calls that a test ends as it likes."""

from collections.abc import Callable
from typing import Any

from preheat.errors import Unavailable
from preheat.interface.message import Request, Response
from preheat_providers.modal.shipped.jobs.calls import Outcome
from preheat_providers.modal.shipped.jobs.records import Item


class MemoryEntries:
    """Implements Entries. Writes whose key begins with `broken` are answered as if Modal were away."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.broken: str | None = None

    async def add(self, key: str, item: Item) -> bool:
        self._check(key)
        if key in self.items:
            return False
        self.items[key] = dict(item)
        return True

    async def put(self, key: str, item: Item) -> None:
        self._check(key)
        self.items[key] = dict(item)

    async def get(self, key: str) -> Item | None:
        return self.items.get(key)

    def _check(self, key: str) -> None:
        if self.broken is not None and key.startswith(self.broken):
            raise Unavailable("The job could not be recorded.")


class MemoryCalls:
    """Implements Calls: `outcomes` by the id of the call."""

    def __init__(self) -> None:
        self.spawned: list[tuple[str, Item]] = []
        self.outcomes: dict[str, Outcome] = {}
        self.cancelled: list[str] = []

    async def spawn(self, job_id: str, request: Item) -> str:
        self.spawned.append((job_id, request))
        return f"fc-{len(self.spawned)}"

    async def outcome(self, call_id: str) -> Outcome:
        return self.outcomes.get(call_id)

    async def cancel(self, call_id: str) -> None:
        self.cancelled.append(call_id)


class ScriptedEngine:
    """Implements Engine: answers with `answers` one after another, the last one again and again."""

    ready = True

    def __init__(self, *answers: Response | Callable[[], Response]) -> None:
        self._answers = list(answers)
        self.asked: list[Request] = []

    async def invoke(self, request: Request) -> Response:
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return answer() if callable(answer) else answer


class Nap:
    """A sleep that takes no time, and notes how long it would have been."""

    def __init__(self, then: Callable[[], Any] = lambda: None) -> None:
        self.naps: list[float] = []
        self._then = then

    async def __call__(self, seconds: float) -> None:
        self.naps.append(seconds)
        self._then()
