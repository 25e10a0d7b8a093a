"""The functions of a home without jobs and triggers; no worker starts until a request asks for one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.local import CONTRACT
from tests.fakes.patience import PATIENCE_S
from tests.fakes.specs import make_spec

from preheat.errors import NotFound, ProviderError
from preheat.interface.message import Request
from preheat.runtime.jobs import Job
from preheat_providers.local.supervisor.control import ControlServer
from preheat_providers.local.supervisor.home import Home
from preheat_providers.local.supervisor.paths import HomePaths
from preheat_providers.local.supervisor.spec import Spec
from preheat_providers.local.supervisor.state import State
from preheat_providers.local.supervisor.surroundings import Surroundings


@dataclass(slots=True)
class Gate:
    """Holds up whoever passes: `reached` is set when somebody stands there, `opened` lets them through."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def passing(self) -> None:
        self.reached.set()
        await self.opened.wait()


class SlowJobs:
    """Knows no job; says so once `gate` is open."""

    def __init__(self) -> None:
        self.gate = Gate()

    async def submit(
        self, request: Request, *, idempotency_key: str | None, webhook: str | None, ttl_s: float | None
    ) -> tuple[Job, bool]:
        raise NotImplementedError

    async def get(self, job_id: str) -> Job:
        await self.gate.passing()
        raise NotFound(f"There is no job {job_id}.")

    async def cancel(self, job_id: str) -> Job:
        return await self.get(job_id)


class FakeBackground:
    """Implements Background. `gates` are passed before a digest is attached, and before any detach.

    A digest in `broken` cannot be attached.
    """

    def __init__(self) -> None:
        self.gates: dict[str, Gate] = {}
        self.broken: set[str] = set()
        self.attached: dict[str, str] = {}
        self.slow_jobs = SlowJobs()

    def hold(self, point: str) -> Gate:
        """Return a gate before `point`, a digest or "detach"."""
        return self.gates.setdefault(point, Gate())

    def jobs(self, function: str) -> SlowJobs:
        return self.slow_jobs

    async def attach(self, spec: Spec) -> None:
        await self._pass(spec.digest)
        if spec.digest in self.broken:
            raise ProviderError(f"No bucket for {spec.digest}.")
        self.attached[spec.function] = spec.digest

    def wake(self) -> None:
        pass

    async def detach(self, function: str) -> None:
        await self._pass("detach")
        self.attached.pop(function, None)

    async def forget(self, function: str) -> tuple[str, ...]:
        return ()

    async def _pass(self, point: str) -> None:
        if point in self.gates:
            await self.gates[point].passing()


@dataclass(slots=True)
class FakeHome:
    """A `Home` whose folder is `root`; `emptied` counts how often it said that nothing is left."""

    root: Path
    home: Home
    state: State
    background: FakeBackground
    paths: HomePaths
    emptied: list[None]

    async def deploy(self, digest: str, **overrides: Any) -> dict[str, Any]:
        """Deploy a release of that digest, by default of demo@dev."""
        spec = make_spec(self.root, digest=digest, contract=CONTRACT, **overrides)
        return await self.home.deploy(spec, {}, lambda _: None)

    @property
    def deployed(self) -> dict[str, str]:
        """The digest that answers, by function."""
        return {status["name"]: status["digest"] for status in self.home.statuses(None, None)}


@asynccontextmanager
async def fake_home(root: Path) -> AsyncIterator[FakeHome]:
    """Open a home below `root`; its endpoints are real."""
    paths, background, emptied = HomePaths(root / "home"), FakeBackground(), list[None]()
    with State(paths.state) as state:
        control = ControlServer(root / "control.sock")
        around = Surroundings(paths=paths, state=state, control=control, background=background)
        home = Home(around, on_empty=lambda: emptied.append(None))
        try:
            async with asyncio.timeout(PATIENCE_S):
                yield FakeHome(root, home, state, background, paths, emptied)
        finally:
            await home.stop()
