"""Modal in one process: what a real client deploys to here runs in Modal's real container entrypoint.

    with ControlPlane(folder) as plane:             # folder: an empty one, for what is uploaded
        subprocess.run([...], env=plane.environment(home))   # a client in a process of its own, or
        with plane.client() as client: ...                   # one in this one: `app.deploy(client=client)`

    plane.journal                     what was asked: names(), requests(rpc), last(rpc), unimplemented
    plane.fail(rpc, status, times=2)  the next two answers to `rpc` are an error
    with plane.holding(rpc): ...      `rpc` is not answered before the block ends
    plane.drop_uploads(times)         as many uploads of volume blocks lose their connection
    plane.hold_uploads(after)         uploads of volume blocks hang after so many, until release_uploads();
                                      plane.uploads_held and plane.blocks_received count them
    plane.app(name)                   the deployed app: .versions, .tags, .logs, .functions
    plane.function(app, tag)          .definition (the Function that was sent), .settings, .urls, .queue
    plane.url(app, tag, method)       the address of a web endpoint
    plane.inputs(app, tag)            all inputs so far: .container, .output, .retry, .body
    plane.schedules(app)              what runs by the clock; plane.fire(app, tag) is one tick of it
    plane.volume(name)                .folder and .files(); plane.secrets() by name
    plane.containers                  all so far: .tag, .times, .lines, .exit_code, .failure
    plane.start(app, tag)             one more container; it returns when that is ready (or has ended)
    plane.drain(app)                  lets every container end; returns those that did
    plane.clear()                     kills every container
    plane.until(look)                 waits until `look()` is true and returns that; `look` may only look
    plane.autostart = False           nothing but start() starts containers
    plane.web_timeout_s               after which a web request is answered 303 (150)
    plane.proxy_tokens                the pairs of Modal-Key and Modal-Secret that are let in
    plane.rates                       what WorkspaceBillingRates answers
    plane.on_checkpoint               called with a container between its checkpoint and its restore

Containers see what was uploaded and what the image's own lines have installed, nothing of this project;
`Container.times` has when the entrypoint began, said hello, checkpointed, went on and was ready.
What is not here: a check of what Modal's servers check, GPUs, frozen memory (a start "from a snapshot"
runs the whole start again), scale-in by the clock, buffer containers, bucket mounts, web sockets.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import modal
from aiohttp import web
from grpclib import Status
from grpclib.protocol import H2Protocol
from grpclib.server import Server
from modal_proto import api_pb2
from tests.fakes.modal.apps import Apps
from tests.fakes.modal.calls import Calls
from tests.fakes.modal.container import Container, Runner
from tests.fakes.modal.dicts import Dicts
from tests.fakes.modal.files import Files
from tests.fakes.modal.fleet import Fleet
from tests.fakes.modal.functions import Functions
from tests.fakes.modal.images import Images
from tests.fakes.modal.ingress import Ingress
from tests.fakes.modal.journal import Journal
from tests.fakes.modal.logs import Logs
from tests.fakes.modal.service import Service, listen
from tests.fakes.modal.state import App, Function, Input, State, Volume
from tests.fakes.modal.storage import Storage
from tests.fakes.modal.tasks import Tasks
from tests.fakes.modal.volumes import Volumes
from tests.fakes.modal.workspace import Secrets, Workspace
from tests.fakes.patience import PATIENCE_S

TOKEN_ID, TOKEN_SECRET = "ak-plane", "as-plane-never-to-be-logged"

T = TypeVar("T")


class ControlPlane:
    """See the docstring of this module."""

    def __init__(self, folder: Path) -> None:
        self.on_checkpoint: Callable[[Container], None] = lambda container: None
        self._state = State(folder)
        self._files = Files(self._state)
        self._images = Images(self._state, self._files)
        self._fleet = Fleet(self._state, Runner(self._state, self._files, self._images.tree))
        self._fleet.serve = self._serve_container
        self._ingress = Ingress(self._state, self._fleet.exchange, self._files)
        self._groups = (
            Workspace(self._state),
            Secrets(self._state),
            Storage(self._state, self._files),
            Volumes(self._state, self._files),
            Dicts(self._state),
            self._images,
            Apps(self._state, self._fleet),
            Functions(self._state, self._ingress, self._fleet),
            Calls(self._state, self._fleet.exchange, self._fleet.cancel),
            Logs(self._state),
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.address = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self._server, self.address = self._run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    @property
    def journal(self) -> Journal:
        return self._state.journal

    @property
    def containers(self) -> list[Container]:
        return list(self._fleet.containers)

    @property
    def autostart(self) -> bool:
        return self._fleet.autostart

    @autostart.setter
    def autostart(self, wanted: bool) -> None:
        self._fleet.autostart = wanted

    @property
    def web_timeout_s(self) -> float:
        return self._ingress.timeout_s

    @web_timeout_s.setter
    def web_timeout_s(self, seconds: float) -> None:
        self._ingress.timeout_s = seconds

    @property
    def proxy_tokens(self) -> dict[str, str]:
        return self._ingress.tokens

    @property
    def rates(self) -> dict[str, str]:
        return self._state.rates

    def environment(self, home: Path) -> dict[str, str]:
        """Return the variables that lead a client here; its settings would be in `home`."""
        return {
            "MODAL_SERVER_URL": self.address,
            "MODAL_TOKEN_ID": TOKEN_ID,
            "MODAL_TOKEN_SECRET": TOKEN_SECRET,
            "MODAL_CONFIG_PATH": str(home / "modal.toml"),
        }

    def client(self) -> modal.Client:
        """Return a client of this process; a context that opens and closes it."""
        return modal.Client(self.address, api_pb2.CLIENT_TYPE_CLIENT, (TOKEN_ID, TOKEN_SECRET))

    def fail(self, rpc: str, status: Status, *, message: str = "ordered by a test", times: int = 1) -> None:
        self._state.faults.fail(rpc, status, message, times)

    @contextmanager
    def holding(self, rpc: str) -> Iterator[None]:
        self._state.faults.held.add(rpc)
        try:
            yield
        finally:
            self._state.faults.held.remove(rpc)
            self._loop.call_soon_threadsafe(self._state.bell.ring)

    def drop_uploads(self, times: int) -> None:
        self._state.faults.uploads_to_drop = times

    def hold_uploads(self, *, after: int) -> None:
        self._files.released.clear()
        self._state.faults.uploads_let_through = after

    @property
    def uploads_held(self) -> int:
        return self._files.held

    @property
    def blocks_received(self) -> int:
        return self._files.received

    def release_uploads(self) -> None:
        self._state.faults.uploads_let_through = None
        self._loop.call_soon_threadsafe(self._files.released.set)

    def app(self, name: str, *, environment: str = "") -> App:
        app = self._state.deployed(name, environment)
        assert app is not None, f"No app {name} is deployed"
        return app

    def function(self, app: str, tag: str, *, environment: str = "") -> Function:
        found = self.app(app, environment=environment).functions
        assert tag in found, f"App {app} has no {tag}: {sorted(found)}"
        return self._state.function(found[tag])

    def url(self, app: str, tag: str, method: str = "", *, environment: str = "") -> str:
        return self.function(app, tag, environment=environment).urls[method]

    def inputs(self, app: str, tag: str) -> list[Input]:
        function = self.function(app, tag)
        calls = [call for call in self._state.calls.values() if call.function is function]
        return [one for call in calls for one in call.inputs.values()]

    def schedules(self, app: str) -> Mapping[str, api_pb2.Schedule]:
        found = {tag: self.function(app, tag).definition for tag in self.app(app).functions}
        return {tag: one.schedule for tag, one in found.items() if one.HasField("schedule")}

    def fire(self, app: str, tag: str) -> None:
        assert tag in self.schedules(app), f"{tag} has no schedule"
        function = self.function(app, tag)
        self._run(self._tick(function))

    def volume(self, name: str) -> Volume:
        return next(volume for volume in self._state.volumes.values() if volume.name == name)

    def secrets(self) -> dict[str, dict[str, str]]:
        return {secret.name: secret.values for secret in self._state.secrets.values() if secret.name}

    def start(self, app: str, tag: str) -> Container:
        function = self.function(app, tag)
        container = self._call(lambda: self._fleet.start(function))
        self.until(lambda: "ready" in container.times or container.exit_code is not None)
        return container

    def drain(self, app: str) -> list[Container]:
        wanted = self.app(app)
        drained = [c for c in self.containers if c.function.app is wanted and c.exit_code is None]
        self._call(lambda: self._fleet.stop(wanted))
        self.until(lambda: all(container.exit_code is not None for container in drained))
        return drained

    def clear(self) -> None:
        self._run(self._fleet.clear())

    def until(self, look: Callable[[], T], *, timeout_s: float = PATIENCE_S) -> T:
        found = self._run(self._state.bell.until(look, timeout_s))
        ended = {c.id: (c.exit_code, c.lines[-20:]) for c in self.containers}
        assert found, f"It did not come in {timeout_s} s; the containers: {ended}"
        return found

    def _serve_container(self, container: Container) -> Server:
        def checkpointed(which: Container) -> None:
            self.on_checkpoint(which)
            which.restore()

        tasks = Tasks(self._state, self._fleet.exchange, container, checkpointed)
        groups = (tasks, *self._groups)
        return Server([Service(groups, self.journal, self._state.faults, container.id)])

    async def _open(self) -> "tuple[Closing, str]":
        application = web.Application(client_max_size=0)
        application.add_routes(self._files.routes())
        self._files.base_url = await self._ingress.site(application)
        server = Closing([Service(self._groups, self.journal, self._state.faults, allowed=_known)])
        return server, await listen(server)

    async def _close(self) -> None:
        await self._fleet.close()
        self._files.released.set()
        await self._ingress.close()
        self._server.close()
        self._server.close_connections()

    async def _tick(self, function: Function) -> None:
        exchange = self._fleet.exchange
        call = exchange.call(function, api_pb2.FUNCTION_CALL_INVOCATION_TYPE_ASYNC)
        exchange.put(call, api_pb2.FunctionInput(data_format=api_pb2.DATA_FORMAT_PICKLE))

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_S * 2)

    def _call(self, work: Callable[[], T]) -> T:
        done: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._loop.call_soon_threadsafe(lambda: done.set_result(work()))
        return done.result(PATIENCE_S)


class Closing(Server):
    """A server whose connections end with it, also those of clients that nobody closes."""

    def _protocol_factory(self) -> H2Protocol:
        protocol = super()._protocol_factory()
        self._protocols.append(protocol)
        return protocol

    @cached_property
    def _protocols(self) -> list[H2Protocol]:
        return []

    def close_connections(self) -> None:
        for protocol in self._protocols:
            if protocol.connection is not None:
                protocol.connection.close()


def _known(headers: Mapping[str, str]) -> bool:
    given = (headers.get("x-modal-token-id"), headers.get("x-modal-token-secret"))
    return given == (TOKEN_ID, TOKEN_SECRET)
