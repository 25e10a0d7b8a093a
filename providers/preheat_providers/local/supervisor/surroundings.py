"""What the functions of one home share: files, state, the line to workers, jobs and triggers."""

from dataclasses import dataclass
from typing import Protocol

from preheat.runtime.jobs import Jobs
from preheat_providers.local.supervisor.control import ControlServer
from preheat_providers.local.supervisor.paths import HomePaths
from preheat_providers.local.supervisor.spec import Spec
from preheat_providers.local.supervisor.state import State


class Background(Protocol):
    """The jobs and triggers of one home."""

    def jobs(self, function: str) -> Jobs:
        """Return what `/jobs` of this function talks to."""
        ...

    async def attach(self, spec: Spec) -> None:
        """Watch what triggers the function of `spec`, in place of what was watched before."""
        ...

    def wake(self) -> None:
        """Look at the queue: an engine may have become available."""
        ...

    async def detach(self, function: str) -> None:
        """Watch nothing for it any more."""
        ...

    async def forget(self, function: str) -> tuple[str, ...]:
        """Remove its jobs and what its triggers remember; say what there was."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the functions of one home share."""

    paths: HomePaths
    state: State
    control: ControlServer
    background: Background
