"""How this machine keeps workers warm, for `preheat warm plan`. Nobody pays: memory time counts. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from preheat.project.model import Project
from preheat.provider.protocol import Pool
from preheat.provider.warm_options import Demand, Rates, WarmOption
from preheat_providers.local.options import Options

IDLE_S = (0, 60, 300, 600, 1800, 3600)
HISTOGRAM_S = (300, 600, 1800)
KEEP_ALIVE = "provider.local.keep_alive"
SCHEDULE = "provider.local.schedule"
KEYS = {"min": "scaling.min", "buffer": "scaling.warm", "max": "scaling.max", "idle_s": "scaling.idle_s"}


def warm_options(project: Project, demand: Demand) -> Iterator[WarmOption]:
    """Yield idle times, numbers that always run, hours, and the histogram policy."""
    at_once = project.scaling.concurrency or 1
    plain = WarmOption(
        name="idle 0 s",
        kind="nothing",
        rates=Rates(),
        basis="a worker stops when it is idle",
        settings={**_scaling(Pool(min=0, buffer=0, idle_s=0)), **_without_others(project)},
        most=project.scaling.max,
        concurrency=at_once,
    )
    yield plain
    for idle_s in IDLE_S[1:]:
        yield _sized(plain, Pool(min=0, buffer=0, idle_s=idle_s))
    for count in demand.levels:
        yield _sized(plain, Pool(min=count, buffer=0, idle_s=60))
    yield _sized(plain, Pool(min=0, buffer=1, idle_s=60))
    for idle_s in HISTOGRAM_S:
        yield replace(
            _sized(plain, Pool(min=0, buffer=0, idle_s=idle_s)),
            name=f"histogram, idle {idle_s} s",
            kind="histogram",
            basis="the same memory, when past idle times say (Serverless in the Wild, ATC'20)",
            settings={
                **plain.settings,
                **_scaling(Pool(min=0, buffer=0, idle_s=idle_s)),
                KEEP_ALIVE: "histogram",
            },
            adaptive=True,
        )
    if demand.hours:
        hours = tuple(replace(each, least=min(each.least, plain.most)) for each in demand.hours)
        entries = [{"cron": each.cron, "timezone": each.timezone, "min": each.least} for each in hours]
        yield replace(
            plain,
            name="by the hour, idle 60 s",
            kind="scheduled",
            basis=", ".join(f"{each.least} from {each.cron!r}" for each in hours),
            settings={
                **plain.settings,
                **_scaling(Pool(min=0, buffer=0, idle_s=60)),
                SCHEDULE: entries,
            },
            hours=hours,
            idle_s=60,
        )


def _sized(plain: WarmOption, pool: Pool) -> WarmOption:
    words = [f"min {pool.min}" if pool.min else "", f"warm {pool.buffer}" if pool.buffer else ""]
    return replace(
        plain,
        name=", ".join([*filter(None, words), f"idle {pool.idle_s} s"]),
        kind="kept" if pool.min or pool.buffer else "pool",
        basis="scaling.min, scaling.warm and scaling.idle_s",
        settings={**plain.settings, **_scaling(pool)},
        least=pool.min or 0,
        buffer=pool.buffer or 0,
        idle_s=pool.idle_s or 0,
    )


def _without_others(project: Project) -> dict[str, Any]:
    """Return what takes the other ways away that a stage of `project` has."""
    learns = project.provider.get("local", {}).get("keep_alive") == "histogram"
    return {SCHEDULE: None, **({KEEP_ALIVE: "idle"} if learns else {})}


def warm_settings(options: Options, pool: Pool) -> Mapping[str, Any]:
    """Return `pool` in `[scaling]`, without the hours that would decide in place of `min`."""
    return {**_scaling(pool), **({SCHEDULE: None} if options.schedule else {})}


def _scaling(pool: Pool) -> dict[str, Any]:
    return {key: getattr(pool, name) for name, key in KEYS.items() if getattr(pool, name) is not None}
