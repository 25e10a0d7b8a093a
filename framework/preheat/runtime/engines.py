"""Engines around engines: what stands between the HTTP surface and one release, in every provider."""

import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from preheat.interface.message import Engine, Request, Response
from preheat.runtime.circuit import Breaker
from preheat.runtime.log import Log, log_to_stderr


class Guarded:
    """One release's engine behind its circuit, and before both the answers that its handler lets be kept."""

    def __init__(self, breaker: Breaker | None, front: Engine) -> None:
        self._breaker = breaker
        self._front = front

    @property
    def ready(self) -> bool:
        """Whether a request sent now would be taken, were its answer not kept."""
        return self._front.ready

    @property
    def circuit_open(self) -> bool:
        """Whether the model counts as failing."""
        return self._breaker is not None and self._breaker.open

    def invoke(self, request: Request) -> Coroutine[Any, Any, Response]:
        """Answer `request`; see Engine."""
        return self._front.invoke(request)


def guarded(
    engine: Engine,
    document: Mapping[str, Any],
    release: str,
    *,
    circuit: bool = True,
    log: Log = log_to_stderr,
    clock: Callable[[], float] = time.monotonic,
) -> Guarded:
    """Return `engine`, which answers for `release`, with what its contract document asks for around it.

    Without `circuit` a model that fails again and again is asked on.
    """
    breaker = Breaker(engine, log, clock) if circuit else None
    inner = breaker or engine
    caching = document.get("cache")
    if caching is None:
        return Guarded(breaker, inner)
    from preheat.interface.caching import Caching
    from preheat.runtime.cache import Cached, RequestKey, ResultCache  # with asyncio, 20 ms of a start

    cache = ResultCache(Caching.of(caching), clock)
    return Guarded(breaker, Cached(inner, cache, RequestKey(release)))
