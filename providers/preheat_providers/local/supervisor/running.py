"""One release at work: its workers, what starts them, and what stands in front of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from preheat.interface.message import Request, Response
from preheat.runtime.engines import Guarded, guarded
from preheat_providers.local.supervisor.assembly import make_starter, pool_settings
from preheat_providers.local.supervisor.logs import FunctionLog
from preheat_providers.local.supervisor.pool import Pool
from preheat_providers.local.supervisor.starter import ProcessStarter
from preheat_providers.local.supervisor.state import ReleaseRow
from preheat_providers.local.supervisor.surroundings import Surroundings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Running:
    """One release that may get traffic. Implements Engine; kept answers and the circuit are its own."""

    release: int
    pool: Pool
    starter: ProcessStarter
    guarded: Guarded

    @property
    def ready(self) -> bool:
        """Whether a request sent now would be taken."""
        return self.guarded.ready

    async def invoke(self, request: Request) -> Response:
        """Answer `request`; see Engine."""
        return await self.guarded.invoke(request)


def run_release(
    release: ReleaseRow, secrets: Mapping[str, str], log: FunctionLog, around: Surroundings
) -> Running:
    """Return `release` with no worker started yet."""
    starter = make_starter(release, secrets, log, around)
    pool = Pool(pool_settings(release), starter, log=log.write)
    front = guarded(
        pool,
        release.spec.contract,
        str(release.number),
        log=lambda event: log.write(**event, release=release.number),
    )
    return Running(release=release.number, pool=pool, starter=starter, guarded=front)
