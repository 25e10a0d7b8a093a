"""The addresses of one function: its HTTP endpoint, gRPC where it is asked for, the token, the access log.

Touches ports, the token's file, and the port and the token's hash in the state file.
"""

import asyncio

from preheat.errors import ProviderError
from preheat.interface.message import Engine
from preheat.runtime.grpc import Served
from preheat.runtime.inference.model import InferenceModel
from preheat.runtime.metrics import Metrics
from preheat.runtime.server.http import Endpoint
from preheat.runtime.server.tokens import bearer_check, open_door, token_hash
from preheat.runtime.surface import Settings, Surface
from preheat.runtime.surface.settings import Authenticate
from preheat_providers.local.supervisor.gateway import HOST, bind, bind_lasting
from preheat_providers.local.supervisor.grpc_door import GrpcDoor
from preheat_providers.local.supervisor.logs import FunctionLog
from preheat_providers.local.supervisor.paths import private_file
from preheat_providers.local.supervisor.spec import Spec
from preheat_providers.local.supervisor.state import FunctionRow, ReleaseRow
from preheat_providers.local.supervisor.surroundings import Surroundings
from preheat_providers.local.supervisor.telemetry import FunctionTelemetry
from preheat_providers.local.supervisor.tls import authority, server_context
from preheat_providers.local.supervisor.tokens import new_token

STOP_S = 30.0
"""How long requests in hand may take when an address closes."""


class Front:
    """Shows whatever release it is given, in front of `engine`, which knows who answers."""

    def __init__(
        self, key: str, engine: Engine, metrics: Metrics, log: FunctionLog, around: Surroundings
    ) -> None:
        self._key = key
        self._name, _, stage = key.partition("@")
        self._engine = engine
        self._metrics = metrics
        self._around = around
        self._telemetry = FunctionTelemetry(self._name, stage, around.paths.access(key), log)
        self._endpoint: Endpoint | None = None
        self._tls = False
        self._closing: set[asyncio.Task[int]] = set()
        self.grpc = GrpcDoor()

    @property
    def url(self) -> str:
        """The endpoint's address."""
        return f"{'https' if self._tls else 'http'}://{HOST}:{self._row.port}"

    @property
    def authority(self) -> str | None:
        """The file of the authority that a client must trust, if there is one."""
        return str(authority(self._around.paths.tls)) if self._tls else None

    def token_file(self, spec: Spec) -> str | None:
        """Return the file with the token that callers send, if they send one."""
        return str(self._around.paths.token(self._key)) if spec.http.auth == "token" else None

    def check(self, spec: Spec) -> None:
        """Raise ProviderError or MissingExtra where a port that `spec` asks for cannot be had."""
        wanted = spec.options.port or self._row.port
        if wanted and (self._endpoint is None or wanted != self._endpoint.port):
            bind(wanted).close()
        self.grpc.check(spec.options)

    def notes(self, spec: Spec) -> list[str]:
        """Return what whoever deploys should know of the addresses."""
        notes = []
        if token_file := self.token_file(spec):
            notes.append(f"The token is kept in {token_file}")
        if self._tls:
            notes.append(f"HTTPS by a local authority: trust {self.authority}")
        if spec.options.access_log:
            notes.append(f"Requests are logged in {self._telemetry.path}")
        if self.grpc.address is not None:
            notes.append(f"gRPC (Open Inference Protocol) at {self.grpc.address}")
        return notes

    async def show(self, release: ReleaseRow) -> None:
        """Have the addresses show `release`, on the asked port, or that of before, or a free one.

        Raises ProviderError where an address cannot be opened; then one at the same port may be closed.
        """
        spec, row = release.spec, self._row
        wanted = spec.options.port or row.port
        same = self._endpoint is not None and (self._endpoint.port, self._tls) == (wanted, spec.options.tls)
        context = server_context(self._around.paths.tls) if spec.options.tls and not same else None
        settings = Settings(
            engine=self._engine,
            document=spec.contract,
            name=self._name,
            version=str(release.number),
            limits=spec.limits,
            jobs=self._around.background.jobs(self._key),
            metrics=self._metrics,
            authenticate=self._door(spec, row),
            access=self._telemetry.access() if spec.options.access_log else None,
            tracing=await self._telemetry.tracing(),
        )
        app = Surface(settings)
        await self._show_grpc(settings, spec)
        current = self._endpoint
        if current is not None and same:
            current.app = app
            return
        if current is not None and current.port == wanted:
            await current.stop(STOP_S)
            self._endpoint = current = None
        fresh = Endpoint(app, tls=context)
        port = await fresh.start(bind(wanted) if wanted else bind_lasting())
        self._around.state.set_port(self._key, port)
        self._endpoint, self._tls = fresh, spec.options.tls
        if current is not None:
            closing = asyncio.create_task(current.stop(STOP_S))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def stop(self) -> None:
        """Answer what is in hand and close the addresses."""
        if self._endpoint is not None:
            await self._endpoint.stop(STOP_S)
        await self.grpc.stop(STOP_S)
        await asyncio.gather(*self._closing)

    async def close(self) -> None:
        """Write what is still to be told of requests."""
        await self._telemetry.close()

    def remove(self) -> list[str]:
        """Remove the token and the access log; return what there was."""
        token = self._around.paths.token(self._key)
        removed = ["token"] if token.exists() else []
        token.unlink(missing_ok=True)
        return removed + [f"access log {path.name}" for path in self._telemetry.remove()]

    def make_token(self, spec: Spec) -> str | None:
        """Make the token, where `spec` asks for one and there is none yet; only now can it be shown."""
        if spec.http.auth != "token" or self._row.token_hash is not None:
            return None
        token = new_token()
        private_file(self._around.paths.token(self._key), token)
        self._around.state.set_token_hash(self._key, token_hash(token))
        return token

    def drop_token(self) -> None:
        """Forget a token that nobody was shown."""
        self._around.paths.token(self._key).unlink(missing_ok=True)
        self._around.state.set_token_hash(self._key, None)

    @property
    def _row(self) -> FunctionRow:
        return self._around.state.function(self._key)

    async def _show_grpc(self, settings: Settings, spec: Spec) -> None:
        model = InferenceModel(
            engine=self._engine, document=spec.contract, name=self._name, version=settings.version
        )
        served = Served(
            model=model,
            limits=spec.limits,
            authenticate=settings.authenticate,
            telemetry=settings.telemetry,
        )
        await self.grpc.show(served, spec.options, self._around.paths.tls, stop_s=STOP_S)

    def _door(self, spec: Spec, row: FunctionRow) -> Authenticate:
        """Return what a request must pass before it runs the model."""
        if spec.http.auth == "none":
            return open_door
        if row.token_hash is None:
            raise ProviderError(
                f"The state file has no token for {self._key}.", hint="Run preheat deploy again."
            )
        return bearer_check(row.token_hash)
