"""How Modal keeps containers warm, and at which price, for `preheat warm plan`. Pure.

A request waits for whichever container is free first. Not verified against the real Modal: when its
autoscaler starts a container is not published; here it does so for every request that finds none free.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from preheat.errors import ProviderError
from preheat.project.model import Project
from preheat.provider.protocol import Pool
from preheat.provider.warm_options import Demand, Rates, WarmOption
from preheat_providers.modal.costs import Hour
from preheat_providers.modal.options import Options
from preheat_providers.modal.rates import Rates as Prices
from preheat_providers.modal.scaling import inputs_of, scale_of
from preheat_providers.modal.shipped.settings import PROVIDER

WINDOWS_S = (60, 300, 900, 3600)
"""Modal's own choice is 60 s."""
BUFFERS = (1, 2)
MOST = 1000
SNAPSHOT_RATIO = 1 / 3
"""What a start from a snapshot takes: Modal says 3 to 10 times faster for what imports much; 3 is taken.
https://modal.com/docs/guide/memory-snapshots, read on 2026-11-21. Measure yours."""

KEYS = {
    "min": ("scaling.min", "min_containers"),
    "buffer": ("scaling.warm", "buffer_containers"),
    "max": ("scaling.max", "max_containers"),
    "idle_s": ("scaling.idle_s", "scaledown_window"),
}


def warm_options(project: Project, options: Options, demand: Demand, prices: Prices) -> Iterator[WarmOption]:
    """Yield windows, numbers that always run, and buffers. Raises ProviderError without a price."""
    hour = Hour.of(project, prices)
    if hour is None:
        raise ProviderError(
            f"No price is known for the GPU {project.resources.gpu!r}, so nothing can be compared.",
            hint="modal setup  # with a token the account's own prices are known",
        )
    scale = scale_of(project, options)
    _, at_once = inputs_of(project, options, None)
    least = Pool(min=0, buffer=0, idle_s=WINDOWS_S[0])
    plain = WarmOption(
        name=f"scaledown {WINDOWS_S[0]} s",
        kind="nothing",
        rates=Rates(worker_s=hour.usd / 3600),
        basis=hour.basis,
        settings=_settings(options, least, snapshot="none"),
        most=scale.max_containers or MOST,
        idle_s=WINDOWS_S[0],
        concurrency=at_once,
        buffer_when_idle=False,
    )
    yield plain
    for window_s in WINDOWS_S[1:]:
        yield _sized(plain, options, Pool(min=0, buffer=0, idle_s=window_s))
    for count in demand.levels:
        yield _sized(plain, options, Pool(min=count, buffer=0, idle_s=WINDOWS_S[0]))
    for count in BUFFERS:
        yield _sized(plain, options, Pool(min=0, buffer=count, idle_s=WINDOWS_S[1]))
    snapshot = "cpu" if options.snapshot == "none" else options.snapshot
    yield replace(
        plain,
        name=f"snapshot, scaledown {WINDOWS_S[0]} s",
        kind="snapshot",
        settings=_settings(options, least, snapshot=snapshot),
        basis=f"{hour.basis}; a start taken as a third, not measured",
        start_ratio=SNAPSHOT_RATIO,
    )


def _sized(plain: WarmOption, options: Options, pool: Pool) -> WarmOption:
    words = [f"min {pool.min}" if pool.min else "", f"buffer {pool.buffer}" if pool.buffer else ""]
    return replace(
        plain,
        name=", ".join([*filter(None, words), f"scaledown {pool.idle_s} s"]),
        kind="kept" if pool.min else "pool",
        settings=_settings(options, pool, snapshot="none"),
        least=pool.min or 0,
        buffer=pool.buffer or 0,
        idle_s=pool.idle_s or 0,
    )


def _settings(options: Options, pool: Pool, *, snapshot: str) -> Mapping[str, Any]:
    """Return `pool`, and `snapshot` where the project has another one."""
    other = {} if options.snapshot == snapshot else {f"provider.{PROVIDER}.snapshot": snapshot}
    return {**warm_settings(options, pool), **other}


def warm_settings(options: Options, pool: Pool) -> Mapping[str, Any]:
    """Return `pool`: in `[provider.modal]` what that sets now, the rest in `[scaling]`."""
    return {
        f"provider.{PROVIDER}.{theirs}" if getattr(options, theirs) is not None else ours: getattr(pool, name)
        for name, (ours, theirs) in KEYS.items()
        if getattr(pool, name) is not None
    }
