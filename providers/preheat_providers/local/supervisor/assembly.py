"""From a release to what runs it: the settings of its pool, and what starts its workers."""

from collections.abc import Mapping

from preheat.provider.warm_options import LeastHours
from preheat_providers.local.supervisor.logs import FunctionLog
from preheat_providers.local.supervisor.process import Launch
from preheat_providers.local.supervisor.slots import PoolSettings
from preheat_providers.local.supervisor.starter import ProcessStarter
from preheat_providers.local.supervisor.state import ReleaseRow
from preheat_providers.local.supervisor.surroundings import Surroundings


def pool_settings(release: ReleaseRow) -> PoolSettings:
    """Return the bounds of the release's pool."""
    spec = release.spec
    batching = spec.contract.get("batching") or {}
    derived = 2 * int(batching.get("max_size", 0)) or int(spec.contract.get("threads", 1))
    return PoolSettings(
        function=spec.function,
        release=release.number,
        scaling=spec.scaling,
        timeout_s=spec.resources.timeout_s,
        setup_s=spec.limits.setup_s,
        concurrency=spec.scaling.concurrency or derived,
        histogram=spec.options.keep_alive == "histogram",
        hours=tuple(
            LeastHours(cron=each.cron, timezone=each.timezone, least=each.min)
            for each in spec.options.schedule
        ),
    )


def make_starter(
    release: ReleaseRow, secrets: Mapping[str, str], log: FunctionLog, around: Surroundings
) -> ProcessStarter:
    """Return what starts the release's workers. A process that uses a GPU cannot be forked."""
    spec = release.spec
    launch = Launch(
        spec=spec,
        release=release.number,
        secrets=secrets,
        control=around.control.path,
        sockets=around.paths.sockets,
        tmp=around.paths.tmp(spec.function),
    )
    forks = spec.options.zygote == "auto" and spec.resources.gpu is None
    return ProcessStarter(launch, around.control, log, zygote=forks, zygote_idle_s=spec.options.zygote_idle_s)
