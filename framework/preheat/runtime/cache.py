"""Answers kept for requests that come again. Only those of `@preheat.cached` handlers, one cache a release.

`ResultCache` is what is kept, within bounds; `Cached` is an engine that looks there first, and lets
equal requests that are in flight at once share one call of the model.
"""

import asyncio
import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from preheat.errors import DeadlineExceeded
from preheat.interface.caching import Caching
from preheat.interface.message import (
    BATCH_SIZE_HEADER,
    CACHE_HEADER,
    MODEL_MS_HEADER,
    QUEUE_MS_HEADER,
    START_HEADER,
    Engine,
    Request,
    Response,
)
from preheat.interface.problem import problem_response

MB = 2**20
OVERHEAD_BYTES = 640
"""What an entry takes beside its texts: its objects and its place (tracemalloc, CPython 3.11)."""
LARGEST_SHARE = 1 / 8
"""An answer above this share of the bytes is not kept: a few of them would drive out all others."""

_TIMES = frozenset({QUEUE_MS_HEADER, MODEL_MS_HEADER, BATCH_SIZE_HEADER})
_OF_ONE_CALL = _TIMES | {START_HEADER}


class RequestKey:
    """Digests a request to what decides its answer: the release, both media types and the body."""

    def __init__(self, release: str) -> None:
        self._base = hashlib.blake2b(digest_size=32)
        self._add(self._base, release.encode())

    def of(self, request: Request) -> bytes:
        """Return the key of `request`; different requests never share one."""
        digest = self._base.copy()
        self._add(digest, request.content_type.encode(errors="surrogatepass"))
        self._add(digest, request.accept.encode(errors="surrogatepass"))
        digest.update(request.body)
        return digest.digest()

    @staticmethod
    def _add(digest: "hashlib.blake2b", part: bytes) -> None:
        digest.update(len(part).to_bytes(8))  # or ("ab", "c") and ("a", "bc") would be the same bytes
        digest.update(part)


@dataclass(frozen=True, slots=True)
class _Kept:
    response: Response
    size: int
    until: float | None


class ResultCache:
    """Good whole answers by key, the least recently used of which make room. Pure; `clock` gives seconds."""

    def __init__(self, bounds: Caching, clock: Callable[[], float]) -> None:
        self._bounds = bounds
        self._bytes_bound = int(bounds.mb * MB)
        self._clock = clock
        self._entries: OrderedDict[bytes, _Kept] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes) -> Response | None:
        """Return what is kept under `key` and is not too old."""
        kept = self._entries.get(key)
        if kept is None:
            return None
        if kept.until is not None and self._clock() >= kept.until:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return kept.response

    def put(self, key: bytes, response: Response) -> None:
        """Keep `response` if it is a 200, whole, and not too large; what says how it was made is left out."""
        if response.status != 200 or response.chunks is not None:
            return
        headers = _without(response.headers, _OF_ONE_CALL)
        size = _size(key, response, headers)
        if size > self._bytes_bound * LARGEST_SHARE:
            return
        if key in self._entries:
            self._drop(key)
        ttl_s = self._bounds.ttl_s
        kept = replace(response, headers=headers, queue_ms=0.0, model_ms=0.0, batch_size=0)
        self._entries[key] = _Kept(kept, size, None if ttl_s is None else self._clock() + ttl_s)
        self.bytes += size
        while len(self._entries) > self._bounds.entries or self.bytes > self._bytes_bound:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: bytes) -> None:
        self.bytes -= self._entries.pop(key).size


def _size(key: bytes, response: Response, headers: Mapping[str, str]) -> int:
    texts = sum(len(name) + len(value) for name, value in headers.items())
    return OVERHEAD_BYTES + len(key) + len(response.body) + len(response.content_type) + texts


@dataclass(slots=True, eq=False)
class _Flight:
    """One call of the engine, and how many requests wait for it. `deadline` is the time it was given."""

    task: asyncio.Task[Response]
    deadline: float
    waiters: int = 0


class Cached:
    """An engine that answers from `cache` what it can; equal requests in flight share one call."""

    def __init__(self, engine: Engine, cache: ResultCache, key: RequestKey) -> None:
        self._engine = engine
        self._cache = cache
        self._key = key
        self._flights: dict[bytes, _Flight] = {}
        self._tasks: set[asyncio.Task[Response]] = set()

    @property
    def ready(self) -> bool:
        """Whether a request whose answer is not kept would be taken."""
        return self._engine.ready

    async def invoke(self, request: Request) -> Response:
        """Answer `request`; see Engine. `x-preheat-cache` says how.

        A failure goes to all who waited for it and is not kept. Each keeps its own time limit: when the
        shared call runs out of time, who came later and has time left makes a call of its own.
        """
        key = self._key.of(request)
        if (kept := self._cache.get(key)) is not None:
            return _marked(kept, "hit", {**kept.headers, START_HEADER: "warm"})
        loop = asyncio.get_running_loop()
        deadline = math.inf if request.timeout_s is None else loop.time() + request.timeout_s
        while (flight := self._flights.get(key)) is not None:
            response = await self._wait(key, flight, request, deadline)
            if response.status != DeadlineExceeded.status or loop.time() >= deadline:
                alone = replace(response, queue_ms=0.0, model_ms=0.0, batch_size=0)
                return _marked(alone, "shared", _without(response.headers, _TIMES))
            request = replace(request, timeout_s=None if deadline == math.inf else deadline - loop.time())
        flight = self._depart(key, request, deadline)
        response = await self._wait(key, flight, request, deadline)
        return _marked(response, "miss", response.headers)

    def _depart(self, key: bytes, request: Request, deadline: float) -> _Flight:
        task = asyncio.get_running_loop().create_task(self._call(key, request))
        flight = self._flights[key] = _Flight(task, deadline)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._remove(key, flight))
        return flight

    async def _call(self, key: bytes, request: Request) -> Response:
        response = await self._engine.invoke(request)
        self._cache.put(key, response)
        return response

    async def _wait(self, key: bytes, flight: _Flight, request: Request, deadline: float) -> Response:
        # The engine keeps the flight's own deadline, and better: it leaves out the start of a process.
        patience_s = None if flight.deadline <= deadline else deadline - asyncio.get_running_loop().time()
        flight.waiters += 1
        try:
            done, _ = await asyncio.wait({flight.task}, timeout=patience_s)
        except asyncio.CancelledError:
            if self._leave(key, flight):
                await asyncio.wait({flight.task})  # whoever cancels may wait for the model to be free
            raise
        if done:
            return flight.task.result()
        self._leave(key, flight)
        late = DeadlineExceeded(f"No answer within {request.timeout_s:g} s.")
        return problem_response(late, request_id=request.id)

    def _leave(self, key: bytes, flight: _Flight) -> bool:
        """Stop waiting; return whether that was the last, which ends the call."""
        flight.waiters -= 1
        if flight.waiters:
            return False
        self._remove(key, flight)
        flight.task.cancel()
        return True

    def _remove(self, key: bytes, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


def _marked(response: Response, how: str, headers: Mapping[str, str]) -> Response:
    return replace(response, headers={**headers, CACHE_HEADER: how})


def _without(headers: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in names}
