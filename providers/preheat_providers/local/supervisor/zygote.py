"""Starts the workers of one release: fresh processes, or forks of one that has run setup (the zygote).

The first process is asked to be a zygote. It judges for itself whether its handler is fork-safe:
if so it forks every worker, otherwise it becomes the first worker, says why, and every later
worker is a fresh process.
"""

import asyncio
import itertools
import os
import secrets
import shutil
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

from preheat_providers.local.supervisor.control import Channel, ControlServer, Event, pump_lines
from preheat_providers.local.supervisor.logs import FunctionLog
from preheat_providers.local.supervisor.process import Launch, describe_exit
from preheat_providers.local.supervisor.worker import Ready, SocketWorker, StartFailed, Worker

SETTLE_S = 2.0
"""How long a process may live on after it closed its control connection."""
STUCK_S = 0.25
"""How long a stuck worker lives on: its 504 is on its way at the same moment."""
SETUP_MARGIN_S = 10.0
"""The worker enforces setup_s itself; this much later the supervisor does."""

_ids = itertools.count(1)
_run = secrets.token_hex(2)


@dataclass(frozen=True, slots=True)
class Fork:
    """Whether a process may be forked, why not, and how long its setup took by phase."""

    safe: bool
    reason: str | None
    phases: Any


@dataclass(frozen=True, slots=True)
class ZygoteStatus:
    """Whether workers are forked, and the reason where they are not."""

    state: Literal["off", "none", "starting", "up", "unavailable"]
    reason: str | None = None


@dataclass(slots=True, eq=False)
class _Zygote:
    """A process that forks workers. `fate` says whether it can, or becomes the StartFailed that ended it."""

    id: str
    process: asyncio.subprocess.Process
    channel: Channel
    fate: "asyncio.Future[Fork]"
    exits: dict[str, "asyncio.Future[int | None]"] = field(default_factory=dict)


class ProcessStarter:
    """Starts real processes for a Pool; see Starter."""

    def __init__(
        self, launch: Launch, control: ControlServer, log: FunctionLog, *, zygote: bool, zygote_idle_s: float
    ) -> None:
        self._launch = launch
        self._control = control
        self._log = log
        self._zygote_idle_s = zygote_idle_s
        self._zygote: _Zygote | None = None
        self._deciding = asyncio.Lock()
        self._status = ZygoteStatus(
            "none" if zygote else "off", None if zygote else "zygote is off in preheat.toml"
        )
        self._workers: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._retire: asyncio.TimerHandle | None = None

    @property
    def zygote(self) -> ZygoteStatus:
        """Whether workers are forked."""
        return self._status

    def start(self) -> Worker:
        """Begin to start a worker."""
        worker_id = f"{_run}-{next(_ids)}"
        channel = self._control.expect(worker_id, lambda line: self._log.output(worker_id, line))
        worker = SocketWorker(worker_id, socket=self._launch.socket(worker_id), channel=channel)
        self._workers.add(worker_id)
        if self._retire is not None:
            self._retire.cancel()
        self._spawn(self._live(worker))
        return worker

    async def close(self) -> None:
        """End the zygote and wait for everything that was started to be gone."""
        if self._retire is not None:
            self._retire.cancel()
        self._end_zygote()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _live(self, worker: SocketWorker) -> None:
        """Follow one worker from its start to its end, and clean up behind it."""
        code: int | None = None
        try:
            ended = await self._bring_up(worker)
            code = await self._follow(worker, ended)
            worker.set_ended(describe_exit(code))
        except (OSError, StartFailed) as exc:
            failure = (
                exc
                if isinstance(exc, StartFailed)
                else StartFailed(f"cannot start a process: {exc}", phase="start")
            )
            worker.set_failed(failure)
            worker.set_ended("it did not start")
        finally:
            self._control.forget(worker.id)
            worker.socket.unlink(missing_ok=True)
            shutil.rmtree(self._launch.scratch(worker.id), ignore_errors=True)
            self._workers.discard(worker.id)
            if not self._workers and self._zygote is not None:
                loop = asyncio.get_running_loop()
                self._retire = loop.call_later(self._zygote_idle_s, self._end_zygote)

    async def _bring_up(self, worker: SocketWorker) -> "asyncio.Future[int | None]":
        """Fork or start the process; return what will be its exit code."""
        if self._status.state in ("off", "unavailable"):
            return await self._start_fresh(worker)
        async with self._deciding:
            if self._status.state in ("off", "unavailable"):
                return await self._start_fresh(worker)
            if self._zygote is not None:
                return self._fork(self._zygote, worker)
            return await self._start_zygote(worker)

    async def _start_fresh(self, worker: SocketWorker) -> "asyncio.Future[int | None]":
        process = await self._launch.start(worker.id, zygote=False)
        worker.set_process(process.pid, _killer(process))
        self._read_output(process, worker.id)
        return asyncio.ensure_future(process.wait())

    def _fork(self, zygote: _Zygote, worker: SocketWorker) -> "asyncio.Future[int | None]":
        scratch = self._launch.scratch(worker.id)
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        zygote.exits[worker.id] = exited = asyncio.get_running_loop().create_future()
        order = {"op": "fork", "id": worker.id, "socket": str(worker.socket), "tmp": str(scratch)}
        zygote.channel.send(order)
        return exited

    async def _start_zygote(self, worker: SocketWorker) -> "asyncio.Future[int | None]":
        """Start a process that becomes the zygote and forks `worker`, or becomes `worker`."""
        zygote_id = f"{worker.id}-zygote"
        channel = self._control.expect(zygote_id, lambda line: self._log.output(zygote_id, line))
        process = await self._launch.start(worker.id, zygote=True)
        zygote = _Zygote(zygote_id, process, channel, asyncio.get_running_loop().create_future())
        worker.set_process(process.pid, _killer(process))
        self._read_output(process, worker.id)
        self._status = ZygoteStatus("starting")
        self._spawn(self._follow_zygote(zygote, worker))
        late_s = self._launch.spec.limits.setup_s + SETUP_MARGIN_S
        watchdog = asyncio.get_running_loop().call_later(late_s, self._too_late, worker)
        zygote.exits[worker.id] = exited = asyncio.get_running_loop().create_future()
        try:
            fork = await zygote.fate
        finally:
            watchdog.cancel()
        if fork.safe:
            self._zygote = zygote
            self._status = ZygoteStatus("up")
            self._log.write(
                "info",
                "zygote",
                "setup has run; workers are forked from here on",
                pid=process.pid,
                phases=fork.phases,
            )
            return exited
        self._status = ZygoteStatus("unavailable", fork.reason)
        self._log.write("warning", "zygote", f"workers start as fresh processes: {fork.reason}")
        return asyncio.ensure_future(process.wait())

    async def _follow_zygote(self, zygote: _Zygote, worker: SocketWorker) -> None:
        """Learn what the process becomes; while it is a zygote, pass on how its children end."""
        heard = asyncio.ensure_future(self._hear_zygote(zygote, worker))
        code = await zygote.process.wait()
        if zygote.channel.connected:
            await asyncio.wait({heard}, timeout=SETTLE_S)
        heard.cancel()
        if not zygote.fate.done():
            how = f"the process ended in setup: {describe_exit(code)}"
            self._status = ZygoteStatus("none")
            zygote.fate.set_exception(worker.failure or StartFailed(how, phase="setup"))
        for exited in zygote.exits.values():
            if not exited.done():
                exited.set_result(None)
        if self._zygote is zygote:
            self._zygote = None
            self._status = ZygoteStatus("none")
        self._control.forget(zygote.id)

    async def _hear_zygote(self, zygote: _Zygote, worker: SocketWorker) -> None:
        async for event in zygote.channel.events():
            match event["event"]:
                case "zygote":
                    fork = event["fork"]
                    zygote.fate.set_result(
                        Fork(safe=fork["safe"], reason=fork["reason"], phases=event["phases"])
                    )
                case "failed":
                    worker.set_failed(_failure(event))
                case "exited" if event["id"] in zygote.exits:
                    exited = zygote.exits.pop(event["id"])
                    exited.set_result(-event["signal"] if event["signal"] else event["code"])
                case _:
                    pass

    async def _follow(self, worker: SocketWorker, exited: "asyncio.Future[int | None]") -> int | None:
        """Wait for the worker's end; kill one that hung up, or never got ready."""
        loop = asyncio.get_running_loop()
        late_s = self._launch.spec.limits.setup_s + SETUP_MARGIN_S
        watchdog = loop.call_later(late_s, self._too_late, worker)
        heard = asyncio.ensure_future(self._hear(worker, watchdog))
        either: set[asyncio.Future[Any]] = {heard, exited}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        watchdog.cancel()
        done, _ = await asyncio.wait({exited}, timeout=SETTLE_S)
        if not done:
            worker.kill()
            done, _ = await asyncio.wait({exited}, timeout=SETTLE_S)
        if worker.channel.connected:
            # What it said last may still lie in the socket, such as why it failed.
            await asyncio.wait({heard}, timeout=SETTLE_S)
        heard.cancel()
        return exited.result() if done else None

    async def _hear(self, worker: SocketWorker, watchdog: asyncio.TimerHandle) -> None:
        async for event in worker.channel.events():
            match event["event"]:
                case "hello" if worker.pid != event["pid"]:
                    worker.set_process(event["pid"], _pid_killer(event["pid"]))
                case "ready":
                    watchdog.cancel()
                    phases = tuple((each["name"], each["ms"]) for each in event["phases"])
                    worker.set_ready(Ready(concurrency=event["concurrency"], phases=phases))
                case "failed":
                    worker.set_failed(_failure(event))
                case "stuck":
                    self._log.write(
                        "error", "worker-stuck", "predict did not end; killing it", worker=worker.id
                    )
                    asyncio.get_running_loop().call_later(STUCK_S, worker.kill)
                case _:
                    pass

    def _too_late(self, worker: SocketWorker) -> None:
        setup_s = self._launch.spec.limits.setup_s
        worker.set_failed(
            StartFailed(f"setup did not end within limits.setup_s = {setup_s:g} s", phase="setup")
        )
        worker.kill()

    def _end_zygote(self) -> None:
        if self._zygote is not None:
            self._log.write(
                "info", "zygote-stopped", "the process that forked workers ends", pid=self._zygote.process.pid
            )
            self._zygote.channel.close()
            self._zygote = None
            self._status = ZygoteStatus("none")

    def _read_output(self, process: asyncio.subprocess.Process, worker_id: str) -> None:
        assert process.stdout is not None
        self._spawn(pump_lines(process.stdout, lambda line: self._log.output(worker_id, line)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _failure(event: Event) -> StartFailed:
    return StartFailed(
        str(event.get("message") or "no message"),
        phase=str(event.get("phase") or "setup"),
        traceback=str(event.get("traceback") or ""),
    )


def _killer(process: asyncio.subprocess.Process) -> Callable[[], None]:
    def kill() -> None:
        if process.returncode is None:
            process.kill()

    return kill


def _pid_killer(pid: int) -> Callable[[], None]:
    def kill() -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    return kill
