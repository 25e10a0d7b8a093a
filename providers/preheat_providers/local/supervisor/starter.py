"""Starts the workers of one release: fresh processes, or forks of one that has run setup (the zygote).

The first process is asked to be a zygote. Where its handler is not fork-safe it becomes the first
worker, and every later worker is a fresh process.
"""

import asyncio
import itertools
import os
import secrets
import shutil
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from preheat.runtime.supervision import describe_exit
from preheat_providers.local.supervisor.control import ControlServer, pump_lines
from preheat_providers.local.supervisor.following import SETTLE_S, Follower, killer
from preheat_providers.local.supervisor.logs import FunctionLog
from preheat_providers.local.supervisor.process import Launch
from preheat_providers.local.supervisor.worker import SocketWorker, StartFailed, Worker
from preheat_providers.local.supervisor.zygote import Zygote, ZygoteStatus

OUTPUT_BYTES = 1024 * 1024

_ids = itertools.count(1)
_run = secrets.token_hex(2)


class ProcessStarter:
    """Starts real processes for a Pool; see Starter."""

    def __init__(
        self, launch: Launch, control: ControlServer, log: FunctionLog, *, zygote: bool, zygote_idle_s: float
    ) -> None:
        self._launch = launch
        self._control = control
        self._log = log
        self._follower = Follower(launch.spec.limits.setup_s, log, kill_zygote=self._kill_zygote)
        self._zygote_idle_s = zygote_idle_s
        self._zygote: Zygote | None = None
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
            code = await self._follower.follow(worker, ended)
            if code is None and not worker.channel.connected and not worker.killed:
                # Its zygote ended before it forked it, which no handler is to blame for.
                code = await self._follower.follow(worker, await self._bring_up(worker))
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
        process = await self._start_process(worker, zygote=False)
        return asyncio.ensure_future(process.wait())

    def _fork(self, zygote: Zygote, worker: SocketWorker) -> "asyncio.Future[int | None]":
        scratch = self._launch.scratch(worker.id)
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        return zygote.fork(worker, scratch)

    async def _start_zygote(self, worker: SocketWorker) -> "asyncio.Future[int | None]":
        """Start a process that becomes the zygote and forks `worker`, or becomes `worker`."""
        zygote_id = f"{worker.id}-zygote"
        channel = self._control.expect(zygote_id, lambda line: self._log.output(zygote_id, line))
        process = await self._start_process(worker, zygote=True)
        zygote = Zygote(zygote_id, process, channel, asyncio.get_running_loop().create_future())
        self._status = ZygoteStatus("starting")
        self._spawn(self._follow_zygote(zygote, worker))
        watchdog = self._follower.watchdog(worker)
        exited = zygote.expect_exit(worker)
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

    async def _follow_zygote(self, zygote: Zygote, worker: SocketWorker) -> None:
        undecided = await zygote.follow(worker)
        if undecided or self._zygote is zygote:
            self._zygote = None
            self._status = ZygoteStatus("none")
        self._control.forget(zygote.id)

    def _end_zygote(self) -> None:
        if self._zygote is not None:
            self._log.write(
                "info", "zygote-stopped", "the process that forked workers ends", pid=self._zygote.process.pid
            )
            self._zygote.channel.close()
            asyncio.get_running_loop().call_later(SETTLE_S, killer(self._zygote.process))
            self._zygote = None
            self._status = ZygoteStatus("none")

    def _kill_zygote(self) -> None:
        if self._zygote is not None:
            killer(self._zygote.process)()

    async def _start_process(self, worker: SocketWorker, *, zygote: bool) -> asyncio.subprocess.Process:
        """Start the process of `worker`, and read what it prints.

        The pipe is ours: a process with one of asyncio's has only ended when nobody holds that any more.
        """
        output, its_output = os.pipe()
        try:
            process = await self._launch.start(worker.id, zygote=zygote, output=its_output)
        except BaseException:
            os.close(output)
            raise
        finally:
            os.close(its_output)
        worker.set_process(process.pid, killer(process))
        self._spawn(self._read_output(process, output, worker.id))
        return process

    async def _read_output(self, process: asyncio.subprocess.Process, output: int, worker_id: str) -> None:
        """Log what it prints; end a child of its own that holds its output for SETTLE_S longer than it."""
        reader = asyncio.StreamReader(limit=OUTPUT_BYTES)
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(output, "rb", buffering=0)
        )
        reading = asyncio.ensure_future(pump_lines(reader, lambda line: self._log.output(worker_id, line)))
        await process.wait()
        try:
            await asyncio.wait_for(reading, SETTLE_S)
        except TimeoutError:
            with suppress(ProcessLookupError, PermissionError):  # it may have left the worker's session
                os.killpg(process.pid, signal.SIGKILL)
        finally:
            pipe.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
