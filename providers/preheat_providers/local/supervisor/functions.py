"""One function at one stage: its endpoint, its releases, and the steps that change which of them answers.

Touches the state file, worker processes and the endpoint's port. A deploy records each step, so
that one which was killed can be repeated; nothing that serves is touched before its successor is ready.
"""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from preheat.errors import ProviderError
from preheat.interface.message import Engine
from preheat.runtime.metrics import Metrics
from preheat_providers.local.supervisor.front import STOP_S, Front
from preheat_providers.local.supervisor.logs import FunctionLog
from preheat_providers.local.supervisor.running import Running, run_release
from preheat_providers.local.supervisor.secret_store import SecretStore
from preheat_providers.local.supervisor.spec import Spec
from preheat_providers.local.supervisor.state import FunctionRow, ReleaseRow
from preheat_providers.local.supervisor.statistics import Statistics
from preheat_providers.local.supervisor.surroundings import Surroundings
from preheat_providers.local.supervisor.traffic import Traffic
from preheat_providers.local.supervisor.worker import StartFailed

Say = Callable[[str], None]


class Function:
    """One `name@stage`. `Home` has its changes exclude one another; requests go on meanwhile."""

    def __init__(self, key: str, around: Surroundings) -> None:
        self.key = key
        self.name, _, self.stage = key.partition("@")
        self.log = FunctionLog(around.paths.log(key))
        self.statistics = Statistics()
        self.traffic: Traffic[Running] = Traffic(self.statistics)
        self.error: str | None = None
        self._around = around
        self._secrets = SecretStore(around.paths.secrets(key))
        metrics = Metrics(workers=self._count_workers, circuit_open=self._circuit_open)
        self.front = Front(key, self.traffic, metrics, self.log, around)
        self._running: set[Running] = set()
        self._draining: set[asyncio.Task[object]] = set()

    @property
    def engine(self) -> Engine:
        """What answers the function's requests."""
        return self.traffic

    @property
    def row(self) -> FunctionRow:
        """The function as the state file has it."""
        return self._around.state.function(self.key)

    @property
    def deployed(self) -> bool:
        """Whether a deploy has ever finished."""
        return any(
            row.function == self.key and row.active is not None for row in self._around.state.functions()
        )

    @property
    def active(self) -> ReleaseRow:
        """The release that answers."""
        row = self.row
        if row.active is None:
            raise ProviderError(
                f"The first deploy of {self.key} has not finished.", hint="Run preheat deploy again."
            )
        return self._around.state.release(self.key, row.active)

    async def restore(self) -> None:
        """Serve again after a restart: no worker runs until a request, `min` or `warm` asks for one."""
        row = self.row
        if row.active is None:
            return
        self._secrets.keep(each.number for each in self._around.state.releases(self.key))
        release = self._around.state.release(self.key, row.active)
        canary = self._around.state.release(self.key, row.canary) if row.canary else None
        self.traffic.switch(self._run(release), self._run(canary) if canary else None, row.canary_share)
        await self._bring_up(release)
        for running in self.traffic.members:
            running.pool.open()
        self._around.background.wake()

    async def deploy(self, spec: Spec, secrets: Mapping[str, str], say: Say) -> dict[str, Any]:
        """Make `spec` the next release and give it the traffic; when that fails the old one serves on."""
        before = self._around.state.add_function(self.key)
        if self._same(before, spec, secrets):
            return self.deployment()
        _check_layers(spec)
        self.front.check(spec)
        token = self.front.make_token(spec)
        release = self._around.state.add_release(spec)
        self._secrets.write(release.number, secrets)
        self.log.write("info", "deploy", f"deploying release {release.number}", digest=spec.digest)
        try:
            await self._move_to(release, say)
        except ProviderError:
            if token is not None:
                self.front.drop_token()
            raise
        self.log.write("info", "deploy", f"release {release.number} serves at {self.front.url}")
        return self.deployment(changed=True, token=token)

    async def _move_to(self, release: ReleaseRow, say: Say) -> None:
        """Prepare everything that can fail, then switch; undo it all when something did fail."""
        before = self.active if self.deployed else None
        try:
            running = await self._prepared(release, say)
            try:
                say("attaching triggers")
                await self._attach(release)
                await self._show(release)
            except ProviderError:
                await self._discard(running)
                if before is not None:
                    await self._bring_up(before)
                raise
        except ProviderError:
            self._around.state.drop_release(self.key, release.number)
            self._secrets.drop(release.number)
            raise
        self._around.state.route(self.key, release.number)
        self._switch(running)
        running.pool.open()

    async def route(self, active: int, canary: int | None, share: float) -> dict[str, Any]:
        """Give the traffic to kept releases: rollback and promote."""
        release = self._around.state.release(self.key, active)
        second = self._around.state.release(self.key, canary) if canary is not None else None
        for each in (release, second):
            if each is not None:
                _check_layers(each.spec)
        now = {running.release: running for running in self.traffic.members}
        main = now.get(active) or await self._prepared(release, _silent)
        beside = None
        if second is not None:
            beside = now.get(second.number) or await self._prepared(second, _silent)
        await self._show(release)
        self._around.state.route(self.key, active, canary=canary, share=share)
        self._switch(main, beside, share)
        await self._attach(release)
        also = f", release {canary} gets {share:.0%}" if canary is not None else ""
        self.log.write("info", "traffic", f"release {active} serves{also}")
        return self.deployment(changed=True)

    def deployment(self, *, changed: bool = False, token: str | None = None) -> dict[str, Any]:
        """Return the function as `preheat deploy` reports it."""
        release = self.active
        notes = self.front.notes(release.spec)
        if self.error is not None:
            notes.append(self.error)
        return {
            "name": self.name,
            "provider": "local",
            "stage": self.stage,
            "release": release.number,
            "digest": release.digest,
            "endpoint": self.front.url,
            "changed": changed,
            "token": token,
            "token_file": self.front.token_file(release.spec),
            "authority": self.front.authority,
            "notes": notes,
        }

    async def stop(self) -> None:
        """Answer what is in hand and end every worker; the state stays."""
        await self.front.stop()
        await asyncio.gather(
            *(running.pool.drain(STOP_S) for running in self.traffic.members), *self._draining
        )
        await self.front.close()
        self.log.close()

    async def destroy(self) -> list[str]:
        """Stop, and remove everything that a deploy made; return what there was."""
        row = self.row
        await self._around.background.detach(self.key)
        await self.stop()
        paths = self._around.paths
        removed = [f"endpoint {self.front.url}"] if row.port else []
        removed += [f"release {release.number}" for release in self._around.state.releases(self.key)]
        removed += await self._around.background.forget(self.key)
        self._around.state.remove_function(self.key)
        if self._secrets.remove():
            removed.append("secrets")
        removed += self.front.remove()
        removed += [f"log {path.name}" for path in self.log.remove()]
        if paths.tmp(self.key).exists():
            shutil.rmtree(paths.tmp(self.key))
            removed.append("scratch folders")
        return removed

    def _same(self, row: FunctionRow, spec: Spec, secrets: Mapping[str, str]) -> bool:
        return (
            row.active is not None
            and row.canary is None
            and self.error is None
            and self.active.spec == spec
            and self._secrets.read(row.active) == dict(secrets)
        )

    def _run(self, release: ReleaseRow) -> Running:
        secrets = self._secrets.read(release.number)
        self.log.hide(secrets)
        running = run_release(release, secrets, self.log, self._around)
        self._running.add(running)
        return running

    async def _prepared(self, release: ReleaseRow, say: Say) -> Running:
        """Return a release that can take over: with a worker ready, if the one that serves has any."""
        running = self._run(release)
        scaling = release.spec.scaling
        if any(each.pool.live for each in self.traffic.members) or scaling.min or scaling.warm:
            say("starting a worker of the new release")
            try:
                await running.pool.prepare()
            except StartFailed as failure:
                await self._discard(running)
                raise ProviderError(
                    f"Release {release.number} does not start, so nothing was changed: {failure.message}"
                    f"{chr(10) + failure.traceback.rstrip() if failure.traceback else ''}",
                    hint=f"See what it printed: preheat logs {self.name}",
                ) from failure
        return running

    async def _bring_up(self, release: ReleaseRow) -> None:
        """Have the addresses and triggers be those of `release`, or the status say why they are not."""
        for step in (self._show, self._attach):
            try:
                await step(release)
            except ProviderError as error:
                # Another port would break every caller, so this says what is wrong and waits for a deploy.
                self.error = error.message
                self.log.write("error", "endpoint", error.message)

    async def _show(self, release: ReleaseRow) -> None:
        await self.front.show(release)
        self.error = None

    def _switch(self, active: Running, canary: Running | None = None, share: float = 0.0) -> None:
        for running in self.traffic.switch(active, canary, share):
            self._later(self._retire(running))
        self._around.background.wake()

    async def _retire(self, running: Running) -> None:
        await running.pool.drain()
        self._running.discard(running)
        self.log.write("info", "drained", f"release {running.release} has answered all it took")

    async def _attach(self, release: ReleaseRow) -> None:
        await self._around.background.attach(release.spec)

    async def _discard(self, running: Running) -> None:
        await running.pool.drain(0.0)
        self._running.discard(running)

    def _later(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)

    def _count_workers(self) -> dict[str, int]:
        counts = {"starting": 0, "ready": 0, "stopping": 0}
        for running in self._running:
            for worker in running.pool.snapshot():
                counts[worker["state"]] += 1
        return counts

    def _circuit_open(self) -> bool:
        return any(running.guarded.circuit_open for running in self.traffic.members)


def _check_layers(spec: Spec) -> None:
    for layer in spec.layers:
        if not layer.is_dir():
            raise ProviderError(
                f"The layer {layer.name} of {spec.function} is no longer in the cache.",
                hint="Build and deploy it again: preheat deploy",
            )


def _silent(text: str) -> None:
    """Say nothing."""
