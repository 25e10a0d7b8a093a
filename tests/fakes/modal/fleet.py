"""Which containers there are: started when an input or a setting wants one, drained when nothing does."""

import asyncio
from collections.abc import Callable, Coroutine

from grpclib.server import Server
from modal_proto import api_pb2
from tests.fakes.modal.container import Container, Runner
from tests.fakes.modal.exchange import Exchange
from tests.fakes.modal.service import listen
from tests.fakes.modal.state import App, Function, Input, State

Serve = Callable[[Container], Server]
LIVE = (api_pb2.APP_STATE_DEPLOYED, api_pb2.APP_STATE_EPHEMERAL)


class Fleet:
    """At most one container per function where inputs want it, and as many as the settings ask for.

    Nothing is scaled in by the clock: a test drains what it wants drained.
    """

    def __init__(self, state: State, runner: Runner) -> None:
        self.containers: list[Container] = []
        self.exchange = Exchange(state, self.wake, self._kill)
        self.serve: Serve | None = None
        self.autostart = True
        """Whether inputs and settings start containers; else only a test does."""
        self._state = state
        self._runner = runner
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, function: Function) -> Container:
        """Start a container of what is deployed now."""
        identity = self._state.new_id("ta")
        folder = self._state.folder / "containers" / identity
        container = Container(identity, function, function.live or function.newest, folder)
        self.containers.append(container)
        self._spawn(self._run(container))
        return container

    def of(self, function: Function) -> list[Container]:
        """Return the containers of `function` that take inputs."""
        mine = (container for container in self.containers if container.function is function)
        return [container for container in mine if container.exit_code is None and not container.draining]

    def wake(self, function: Function) -> None:
        """Start a container if an input waits and there is none."""
        if self.autostart and function.queue and not self.of(function) and function.app.state in LIVE:
            self.start(function)

    def follow(self, app: App) -> None:
        """Drain the containers of other definitions and start those that are always to be there."""
        for function in self._state.functions_of(app):
            for container in self.of(function):
                if container.definition != function.live:
                    self.drain(container)
            settings = function.settings
            limit = settings.max_containers or settings.min_containers
            wanted = min(settings.min_containers, limit) if function.id in app.functions.values() else 0
            for _ in range(wanted - len(self.of(function)) if self.autostart else 0):
                self.start(function)
            self.wake(function)

    def drain(self, container: Container) -> None:
        """Let a container finish what it has and end."""
        container.draining = True
        self._state.bell.ring()

    def drain_one(self, task: str) -> None:
        """Drain the container with that id."""
        for container in self.containers:
            if container.id == task:
                self.drain(container)

    def stop(self, app: App) -> None:
        """Drain every container of `app`."""
        for container in self.containers:
            if container.function.app is app:
                self.drain(container)

    def running(self, app: App) -> list[tuple[str, float]]:
        """Return the ids of its containers with the time of their start."""
        alive = [c for c in self.containers if c.function.app is app and c.exit_code is None]
        return [(container.id, container.started_at) for container in alive]

    def count(self, function: Function) -> int:
        """Return how many containers of `function` there are."""
        return len(self.of(function))

    def cancel(self, one: Input) -> None:
        """Give up an input: at once if it waits, else through the container that has it."""
        terminated = api_pb2.GenericResult(status=api_pb2.GenericResult.GENERIC_STATUS_TERMINATED)
        container = next((c for c in self.containers if c.id == one.container), None)
        if container is None:
            self.exchange.fail(one, terminated)
        else:
            container.cancelled.append(one)
            self._state.bell.ring()

    async def clear(self) -> None:
        """Kill every container and wait for their ends; new ones start meanwhile only where inputs wait."""
        ending = [container for container in self.containers if container.exit_code is None]
        for container in ending:
            self.drain(container)
        while any(container.exit_code is None for container in ending):
            for container in ending:
                container.kill()
            await asyncio.wait(self._tasks, timeout=0.1)

    async def close(self) -> None:
        """Kill every container and wait for their ends."""
        self.autostart = False
        while self._tasks:
            await self.clear()
            if self._tasks:  # theirs is an exit code already, for which `clear` does not wait
                await asyncio.wait(self._tasks, timeout=0.1)

    async def _run(self, container: Container) -> None:
        assert self.serve is not None
        server = self.serve(container)
        address = await listen(server)
        try:
            await self._runner.run(container, address)
        except Exception as exc:  # noqa: BLE001 - one container; its inputs fail with the reason
            container.lines.append(f"The control plane could not start it: {exc!r}")
        finally:
            server.close()
            if container.exit_code is None:
                container.exit_code = -1
            self._settle(container)

    def _settle(self, container: Container) -> None:
        function = container.function
        crashed = api_pb2.GenericResult(
            status=api_pb2.GenericResult.GENERIC_STATUS_FAILURE,
            exception=f"Container {container.id} ended with {container.exit_code}: {container.lines[-1:]}",
        )
        result = container.failure or crashed
        started = "ready" in container.times
        calls = [call for call in self._state.calls.values() if call.function is function]
        for one in [one for call in calls for one in call.inputs.values() if one.output is None]:
            waits_for_no_other = not started and not one.container and not self.of(function)
            if one.container == container.id or waits_for_no_other:
                self.exchange.fail(one, result, container.id)
        self._state.bell.ring()
        self.wake(function)

    def _kill(self, identity: str) -> None:
        for container in self.containers:
            if container.id == identity:
                container.kill()

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
