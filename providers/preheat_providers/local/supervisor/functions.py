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
from preheat.runtime.grpc import Served
from preheat.runtime.inference.model import InferenceModel
from preheat.runtime.metrics import Metrics
from preheat.runtime.server.http import Endpoint
from preheat.runtime.server.tokens import bearer_check, open_door, token_hash
from preheat.runtime.surface import build_app
from preheat.runtime.surface.invocations import Authenticate
from preheat.runtime.telemetry import Telemetry
from preheat_providers.local.supervisor.gateway import HOST, bind
from preheat_providers.local.supervisor.grpc_door import GrpcDoor
from preheat_providers.local.supervisor.logs import FunctionLog
from preheat_providers.local.supervisor.paths import private_file
from preheat_providers.local.supervisor.running import Running, run_release
from preheat_providers.local.supervisor.secret_store import SecretStore
from preheat_providers.local.supervisor.spec import Spec
from preheat_providers.local.supervisor.state import FunctionRow, ReleaseRow
from preheat_providers.local.supervisor.statistics import Statistics
from preheat_providers.local.supervisor.surroundings import Surroundings
from preheat_providers.local.supervisor.telemetry import FunctionTelemetry
from preheat_providers.local.supervisor.tls import authority, server_context
from preheat_providers.local.supervisor.tokens import new_token
from preheat_providers.local.supervisor.traffic import Traffic
from preheat_providers.local.supervisor.worker import StartFailed

STOP_S = 30.0
"""How long requests in hand may take when a function or the supervisor stops."""

Say = Callable[[str], None]


class Function:
    """One `name@stage`. Changes exclude one another; requests go on meanwhile."""

    def __init__(self, key: str, around: Surroundings) -> None:
        self.key = key
        self.name, _, self.stage = key.partition("@")
        self.log = FunctionLog(around.paths.log(key))
        self.statistics = Statistics()
        self.traffic: Traffic[Running] = Traffic(self.statistics)
        self.error: str | None = None
        self._around = around
        self._secrets = SecretStore(around.paths.secrets(key))
        self._metrics = Metrics(workers=self._count_workers, circuit_open=self._circuit_open)
        self._telemetry = FunctionTelemetry(self.name, self.stage, around.paths.access(key), self.log)
        self._endpoint: Endpoint | None = None
        self._tls = False
        self.grpc = GrpcDoor()
        self._running: set[Running] = set()
        self._changing = asyncio.Lock()
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

    @property
    def url(self) -> str:
        """The endpoint's address."""
        return f"{'https' if self._tls else 'http'}://{HOST}:{self.row.port}"

    async def restore(self) -> None:
        """Serve again after a restart: no worker runs until a request, `min` or `warm` asks for one."""
        row = self.row
        if row.active is None:
            return
        release = self._around.state.release(self.key, row.active)
        canary = self._around.state.release(self.key, row.canary) if row.canary else None
        self.traffic.switch(self._run(release), self._run(canary) if canary else None, row.canary_share)
        try:
            await self._serve(release)
            await self._attach(release)
        except ProviderError as error:
            # Another port would break every caller, so this says what is wrong and waits for a deploy.
            self.error = error.message
            self.log.write("error", "endpoint", error.message)
        for running in self.traffic.members:
            running.pool.open()
        self._around.background.wake()

    async def deploy(self, spec: Spec, secrets: Mapping[str, str], say: Say) -> dict[str, Any]:
        """Make `spec` the next release and give it the traffic; when that fails the old one serves on."""
        async with self._changing:
            before = self._around.state.add_function(self.key)
            if self._same(before, spec, secrets):
                return self.deployment()
            _check_layers(spec)
            wanted = spec.options.port or before.port or 0
            if self._endpoint is None or wanted != self._endpoint.port:
                bind(wanted).close()
            self.grpc.check(spec.options)
            token = self._make_token(before, spec)
            release = self._around.state.add_release(spec)
            self._secrets.write(release.number, secrets)
            self.log.write("info", "deploy", f"deploying release {release.number}", digest=spec.digest)
            try:
                await self._move_to(release, say)
            except ProviderError:
                if token is not None:
                    self._drop_token()
                raise
            self.log.write("info", "deploy", f"release {release.number} serves at {self.url}")
            return self.deployment(changed=True, token=token)

    async def _move_to(self, release: ReleaseRow, say: Say) -> None:
        """Prepare everything that can fail, then switch; undo it all when something did fail."""
        before = self.active if self.deployed else None
        try:
            running = await self._prepared(release, say)
            try:
                say("attaching triggers")
                await self._attach(release)
                await self._serve(release)
            except ProviderError:
                await self._discard(running)
                if before is not None:
                    await self._attach(before)
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
        async with self._changing:
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
            await self._serve(release)
            self._around.state.route(self.key, active, canary=canary, share=share)
            self._switch(main, beside, share)
            await self._attach(release)
            also = f", release {canary} gets {share:.0%}" if canary is not None else ""
            self.log.write("info", "traffic", f"release {active} serves{also}")
            return self.deployment(changed=True)

    def deployment(self, *, changed: bool = False, token: str | None = None) -> dict[str, Any]:
        """Return the function as `preheat deploy` reports it."""
        release = self.active
        notes = []
        if release.spec.http.auth == "token":
            notes.append(f"The token is kept in {self._around.paths.token(self.key)}")
        if self._tls:
            notes.append(f"HTTPS by a local authority: trust {authority(self._around.paths.tls)}")
        if release.spec.options.access_log:
            notes.append(f"Requests are logged in {self._telemetry.path}")
        if self.grpc.address is not None:
            notes.append(f"gRPC (Open Inference Protocol) at {self.grpc.address}")
        if self.error is not None:
            notes.append(self.error)
        return {
            "name": self.name,
            "provider": "local",
            "stage": self.stage,
            "release": release.number,
            "digest": release.digest,
            "endpoint": self.url,
            "changed": changed,
            "token": token,
            "authority": str(authority(self._around.paths.tls)) if self._tls else None,
            "notes": notes,
        }

    async def stop(self) -> None:
        """Answer what is in hand and end every worker; the state stays."""
        if self._endpoint is not None:
            await self._endpoint.stop(STOP_S)
        await self.grpc.stop(STOP_S)
        await asyncio.gather(
            *(running.pool.drain(STOP_S) for running in self.traffic.members), *self._draining
        )
        await self._telemetry.close()
        self.log.close()

    async def destroy(self) -> list[str]:
        """Stop, and remove everything that a deploy made; return what there was."""
        async with self._changing:
            row = self.row
            await self._around.background.detach(self.key)
            await self.stop()
            paths = self._around.paths
            removed = [f"endpoint {self.url}"] if row.port else []
            removed += [f"release {release.number}" for release in self._around.state.releases(self.key)]
            removed += await self._around.background.forget(self.key)
            self._around.state.remove_function(self.key)
            if self._secrets.remove():
                removed.append("secrets")
            if paths.token(self.key).exists():
                paths.token(self.key).unlink()
                removed.append("token")
            removed += [f"log {path.name}" for path in self.log.remove()]
            removed += [f"access log {path.name}" for path in self._telemetry.remove()]
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

    def _make_token(self, row: FunctionRow, spec: Spec) -> str | None:
        if spec.http.auth != "token" or row.token_hash is not None:
            return None
        token = new_token()
        private_file(self._around.paths.token(self.key), token)
        self._around.state.set_token_hash(self.key, token_hash(token))
        return token

    def _drop_token(self) -> None:
        """Forget a token that nobody was shown."""
        self._around.paths.token(self.key).unlink(missing_ok=True)
        self._around.state.set_token_hash(self.key, None)

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

    async def _serve(self, release: ReleaseRow) -> None:
        """Have the endpoint show `release`, on the asked port, or that of before, or a free one."""
        row = self.row
        app = await self._app(release, row)
        spec = release.spec
        await self._serve_grpc(release, row)
        wanted = spec.options.port or row.port or 0
        current = self._endpoint
        if current is not None and (current.port, self._tls) == (wanted, spec.options.tls):
            current.app = app
            return
        if current is not None and current.port == wanted:
            await current.stop(STOP_S)
        context = server_context(self._around.paths.tls) if spec.options.tls else None
        fresh = Endpoint(app, tls=context)
        port = await fresh.start(bind(wanted))
        self._around.state.set_port(self.key, port)
        self._endpoint, self._tls, self.error = fresh, spec.options.tls, None
        if current is not None:
            self._later(current.stop(STOP_S))

    async def _app(self, release: ReleaseRow, row: FunctionRow) -> Any:
        spec = release.spec
        return build_app(
            engine=self.traffic,
            document=spec.contract,
            name=self.name,
            version=str(release.number),
            limits=spec.limits,
            jobs=self._around.background.jobs(self.key),
            metrics=self._metrics,
            authenticate=self._check(spec, row),
            access=self._telemetry.access() if spec.options.access_log else None,
            tracing=await self._telemetry.tracing(),
        )

    async def _serve_grpc(self, release: ReleaseRow, row: FunctionRow) -> None:
        spec = release.spec
        model = InferenceModel(
            engine=self.traffic, document=spec.contract, name=self.name, version=str(release.number)
        )
        telemetry = Telemetry(
            self._metrics,
            access=self._telemetry.access() if spec.options.access_log else None,
            tracing=await self._telemetry.tracing(),
        )
        served = Served(
            model=model, limits=spec.limits, authenticate=self._check(spec, row), telemetry=telemetry
        )
        await self.grpc.show(served, spec.options, self._around.paths.tls, stop_s=STOP_S)

    def _check(self, spec: Spec, row: FunctionRow) -> Authenticate:
        """Return what a request must pass before it runs the model."""
        if spec.http.auth == "none":
            return open_door
        if row.token_hash is None:
            raise ProviderError(
                f"The state file has no token for {self.key}.", hint="Run preheat deploy again."
            )
        return bearer_check(row.token_hash)

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
