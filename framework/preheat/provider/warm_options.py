"""What a platform offers to keep workers warm, and what it charges: frozen data for `preheat warm plan`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol, runtime_checkable

from preheat.project.model import Project
from preheat.provider.protocol import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """US dollars: `*_s` for a second of one worker, the others for each, `month` for a month without calls.

    `busy_s` is paid while a request runs, `least_s` for what is always kept, `least_busy_s` while that
    works, `start_s` while a worker starts, `restore` once for each start, and `worker_s` from a worker's
    start to its end whatever it does.
    """

    worker_s: float = 0.0
    busy_s: float = 0.0
    start_s: float = 0.0
    least_s: float = 0.0
    least_busy_s: float = 0.0
    request: float = 0.0
    restore: float = 0.0
    ping: float = 0.0
    month: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastHours:
    """From when on at least `least` workers are kept: a cron expression of five fields in `timezone`."""

    cron: str
    timezone: str
    least: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmOption:
    """One way to keep workers warm. Times are seconds; `settings` go into preheat.toml, by dotted key.

    `least` workers always run (`hours` change that), `buffer` idle ones beside the busy, `most` at all. An
    idle one stays for `idle_s`; with `adaptive` all together stay about as long as that would be, when the
    histogram policy says. Where workers are `bound`, a request waits for the one that was started for it;
    else for whichever is free first, and one is started for every `concurrency` that wait or, where `backlog`
    is more than that, for every `backlog` that wait or are served. A start takes `start_ratio` of a measured
    cold start, and `start_extra_s` on top.
    """

    name: str
    rates: Rates
    basis: str
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    kind: Literal["nothing", "pings", "snapshot", "kept", "scheduled", "pool", "histogram"] = "pool"
    least: int = 0
    hours: tuple[LeastHours, ...] = ()
    buffer: int = 0
    buffer_when_idle: bool = True
    most: int = 1000
    idle_s: float = 0.0
    adaptive: bool = False
    lifetime_s: float | None = None
    ping_every_s: float | None = None
    ping_s: float = 0.0
    bound: bool = False
    backlog: int = 0
    concurrency: int = 1
    start_ratio: float = 1.0
    start_extra_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a trace asks for: the numbers of workers worth trying, and hours that differ from the rest.

    `hours` are empty where no hour of the day or of the week stands out; their `least` is the busiest number.
    """

    levels: tuple[int, ...]
    hours: tuple[LeastHours, ...] = ()


@runtime_checkable
class Warms(Protocol):
    """A provider that says how it keeps workers warm, and at which price."""

    def warm_options(self, project: Project, demand: Demand) -> tuple[WarmOption, ...]:
        """Return what is worth trying for `demand`; the first is to do nothing. Changes nothing."""
        ...

    def warm_settings(self, project: Project, pool: Pool) -> Mapping[str, Any]:
        """Return what `pool` is in preheat.toml, by dotted key. Raises ProviderError for what cannot be."""
        ...
