"""All functions of one home, and the operations that the admin socket offers on them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from preheat.errors import NotDeployed, ProviderError
from preheat.interface.message import Engine
from preheat.provider.going_back import release_before
from preheat_providers.local.supervisor.functions import Function, Say
from preheat_providers.local.supervisor.logs import FunctionLog
from preheat_providers.local.supervisor.paths import function_key
from preheat_providers.local.supervisor.spec import Spec
from preheat_providers.local.supervisor.status import status_document
from preheat_providers.local.supervisor.surroundings import Surroundings


class Home:
    """The functions by `name@stage`; changes of one exclude one another, and requests go on meanwhile.

    `on_empty` is called when the last one was destroyed.
    """

    def __init__(self, around: Surroundings, *, on_empty: Callable[[], None]) -> None:
        self._around = around
        self._on_empty = on_empty
        self._functions: dict[str, Function] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._changes: Counter[str] = Counter()

    def engine_of(self, key: str) -> Engine | None:
        """Return what answers for `key`, or None when it is not deployed."""
        function = self._functions.get(key)
        return None if function is None or function.traffic.active is None else function.engine

    def log_of(self, key: str) -> FunctionLog | None:
        """Return the log of `key`, or None when it is not deployed."""
        function = self._functions.get(key)
        return None if function is None else function.log

    def function(self, name: str, stage: str) -> Function:
        """Return one function. Raises NotDeployed, also while its first deploy is unfinished."""
        function = self._functions.get(function_key(name, stage))
        if function is None or not function.deployed:
            raise NotDeployed(
                f"{name!r} is not deployed at stage {stage!r}.", hint="See what is: preheat status"
            )
        return function

    @property
    def empty(self) -> bool:
        """Whether nothing is deployed, and nothing is being changed or waits for that."""
        return not self._functions and not self._changes

    async def restore(self) -> None:
        """Bring every function's endpoint up again."""
        for key, number in self._around.state.drop_unfinished():
            function = Function(key, self._around)
            function.log.write(
                "warning", "deploy", f"the deploy of release {number} was cut off; it is dropped"
            )
            function.log.close()
        for row in self._around.state.functions():
            function = Function(row.function, self._around)
            if row.active is None:
                await function.destroy()
                continue
            self._functions[row.function] = function
            await function.restore()

    async def stop(self) -> None:
        """Drain every function."""
        await asyncio.gather(*(function.stop() for function in self._functions.values()))

    async def deploy(self, spec: Spec, secrets: Mapping[str, str], say: Say) -> dict[str, Any]:
        """Deploy one release."""
        key = function_key(spec.name, spec.stage)
        async with self._change(key):
            function = self._functions.get(key) or Function(key, self._around)
            self._functions[key] = function
            try:
                return await function.deploy(spec, secrets, say)
            finally:
                if not function.deployed:
                    await function.destroy()
                    self._functions.pop(key)

    def statuses(self, name: str | None, stage: str | None) -> list[dict[str, Any]]:
        """Return the status of every function that matches, in order of name and stage."""
        found = [
            function
            for _, function in sorted(self._functions.items())
            if function.deployed and name in (None, function.name) and stage in (None, function.stage)
        ]
        return [status_document(function) for function in found]

    def observe(self, name: str, stage: str) -> list[Mapping[str, Any]]:
        """Return the resources of one function, none when it is not deployed."""
        function = self._functions.get(function_key(name, stage))
        return [] if function is None or not function.deployed else list(function.active.spec.observed)

    def releases(self, name: str, stage: str) -> list[dict[str, Any]]:
        """Return the releases, newest first."""
        function = self.function(name, stage)
        row = function.row
        return [
            {
                "number": release.number,
                "digest": release.digest,
                "created": release.created,
                "active": release.number == row.active,
                "note": f"canary, {row.canary_share:.0%}" if release.number == row.canary else "",
            }
            for release in reversed(self._around.state.releases(function.key))
        ]

    async def rollback(self, name: str, stage: str, release: int | None) -> dict[str, Any]:
        """Make `release` the active one; by default end the canary, or go back to what served before."""
        async with self._change(function_key(name, stage)):
            function = self.function(name, stage)
            row = function.row
            if release is None and row.canary is None:
                release = release_before(row.active or 0, self._numbers(function), served=row.predecessor)
                if release is None:
                    raise ProviderError(f"{function.key} has no release before {row.active}.")
            return await function.route(release or row.active or 0, None, 0.0)

    async def promote(self, name: str, stage: str, share: float | None) -> dict[str, Any]:
        """Give the newest release `share` of the traffic, or all of it.

        The rest stays with the active release, or goes to the one that was active before the newest was.
        """
        async with self._change(function_key(name, stage)):
            function = self.function(name, stage)
            numbers = self._numbers(function)
            newest = numbers[-1]
            if share is None:
                return await function.route(newest, None, 0.0)
            if not 0.0 <= share <= 1.0:
                raise ProviderError(f"A canary's share is a number from 0 to 1, not {share:g}.")
            row = function.row
            before = release_before(newest, numbers, served=row.predecessor)
            beside = row.active if row.active != newest else before
            if beside is None:
                raise ProviderError(
                    f"{function.key} has one release only, so there is nothing beside it to serve."
                )
            return await function.route(beside, newest, share)

    async def destroy(self, name: str, stage: str) -> dict[str, Any]:
        """Remove a function; return what was removed and what is left of it."""
        key = function_key(name, stage)
        async with self._change(key):
            removed = await self.function(name, stage).destroy()
            self._functions.pop(key)
            left = self._left(key)
        if self.empty:
            self._on_empty()
        return {"name": name, "stage": stage, "removed": removed, "left": left}

    @asynccontextmanager
    async def _change(self, key: str) -> AsyncIterator[None]:
        """Wait until no other order changes `key`; its lock is kept for as long as one does or waits."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._changes[key] += 1
        try:
            async with lock:
                yield
        finally:
            self._changes[key] -= 1
            if not self._changes[key]:
                del self._changes[key], self._locks[key]

    def _left(self, key: str) -> list[str]:
        paths = self._around.paths
        kept = (paths.log(key), paths.access(key), paths.token(key), paths.secrets(key), paths.tmp(key))
        left = [str(path) for path in kept if path.exists()]
        return left + [
            f"state of {row.function}" for row in self._around.state.functions() if row.function == key
        ]

    def _numbers(self, function: Function) -> list[int]:
        return [release.number for release in self._around.state.releases(function.key)]
