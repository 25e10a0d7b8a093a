"""The pool of containers of a deployed app: what it is, and how it changes without a deploy. Asks Modal."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from preheat.errors import ProviderError
from preheat.provider.protocol import Pool, WarmPool
from preheat_providers.modal.app.file import CLASS
from preheat_providers.modal.limits import SCALEDOWN_S
from preheat_providers.modal.observing import CLASS as CLASS_KIND
from preheat_providers.modal.place import Live, Place
from preheat_providers.modal.shipped.settings import PROVIDER

FIELDS = {
    "min": "min_containers",
    "buffer": "buffer_containers",
    "max": "max_containers",
    "idle_s": "scaledown_window",
}
"""Ours, and what Modal calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """How many containers there are, and how many requests wait for one."""

    containers: int
    waiting: int


def running_now(place: Place) -> Running:
    """Return what runs now. Raises ProviderError."""
    what = f"the containers of {place.app} cannot be counted"
    found = place.client.ask("FunctionGetCurrentStats", what=what, function_id=_function(place))
    return Running(containers=found.num_total_tasks, waiting=found.backlog)


def pool_now(place: Place) -> WarmPool:
    """Return the pool of `place`. Raises NotDeployed."""
    deployed = deployed_pool(place.require())
    told = _told(place)
    pool = deployed if told is None else told
    running = running_now(place)
    changed = [each for each in FIELDS if getattr(pool, each) != getattr(deployed, each)]
    return WarmPool(
        name=place.name,
        provider=PROVIDER,
        stage=place.stage,
        pool=pool,
        changed=tuple(changed),
        exact=told is not None,
        workers=running.containers,
        waiting=running.waiting,
    )


def resize(place: Place, change: Pool) -> WarmPool:
    """Change the pool of `place`, and return what it is then. Raises ProviderError."""
    before = pool_now(place)
    wanted = _checked(replace(before.pool, **_given(change)))
    settings = {FIELDS[name]: value for name, value in _given(change).items()}
    place.client.ask(
        "FunctionUpdateSchedulingParams",
        what=f"the pool of {place.app} cannot be changed",
        function_id=_function(place),
        settings=settings,
    )
    after = pool_now(place)
    return after if after.exact else replace(after, pool=wanted, changed=tuple(_given(change)))


def deployed_pool(live: Live) -> Pool:
    """Return the pool as the release that runs was deployed with it."""
    resources = live.record.resources if live.record else ()
    scale: Mapping[str, Any] = next(
        (each.properties["scale"] for each in resources if each.kind == CLASS_KIND), {}
    )
    return Pool(**{ours: scale.get(theirs) for ours, theirs in FIELDS.items()})


def _given(change: Pool) -> dict[str, int]:
    return {name: value for name, value in asdict(change).items() if value is not None}


def _checked(pool: Pool) -> Pool:
    least, longest = SCALEDOWN_S
    if pool.idle_s is not None and not least <= pool.idle_s <= longest:
        raise ProviderError(
            f"An idle container would stay {pool.idle_s} s, and Modal takes {least} to {longest}.",
            hint=f"--scaledown {least if pool.idle_s < least else longest}s",
        )
    if pool.max is not None and pool.min is not None and pool.min > pool.max:
        raise ProviderError(
            f"At least {pool.min} containers are to run, and at most {pool.max}.", hint=f"--max {pool.min}"
        )
    return pool


def _told(place: Place) -> Pool | None:
    """Return the pool as Modal uses it; None where the installed client is too old to ask."""
    if not place.client.knows("FunctionGetSchedulingParams"):
        return None
    what = f"the pool of {place.app} cannot be read"
    answer = place.client.ask("FunctionGetSchedulingParams", what=what, function_id=_function(place))
    found = answer.autoscaler_configuration.settings
    values = {
        ours: getattr(found, theirs) if found.HasField(theirs) else None for ours, theirs in FIELDS.items()
    }
    return Pool(**values)


def _function(place: Place) -> str:
    """Return the id of the function behind the class."""
    answer = place.client.ask(
        "FunctionGet",
        what=f"the class of {place.app} cannot be found",
        app_name=place.app,
        object_tag=f"{CLASS}.*",
        environment_name=place.environment,
    )
    identity: str = answer.function_id
    return identity
