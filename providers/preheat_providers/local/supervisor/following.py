"""Follows one worker from its process to its end: what it says, and that it gets ready in time."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

from preheat_providers.local.supervisor.control import Event
from preheat_providers.local.supervisor.logs import FunctionLog
from preheat_providers.local.supervisor.worker import Ready, SocketWorker, StartFailed

SETTLE_S = 2.0
"""How long a process may live on after it closed its control connection."""
STUCK_S = 0.25
"""How long a stuck worker lives on: its 504 is on its way at the same moment."""
SETUP_MARGIN_S = 10.0
"""The worker enforces setup_s itself; this much later the supervisor does."""


class Follower:
    """Follows the workers of one release. `setup_s` is the release's own bound on setup.

    `kill_zygote` ends what was asked to fork a worker that never came, and with it whoever waits for that.
    """

    def __init__(self, setup_s: float, log: FunctionLog, *, kill_zygote: Callable[[], None]) -> None:
        self._setup_s = setup_s
        self._log = log
        self._kill_zygote = kill_zygote

    def watchdog(self, worker: SocketWorker) -> asyncio.TimerHandle:
        """Fail and kill `worker` unless the returned timer is cancelled in time."""
        return asyncio.get_running_loop().call_later(self._setup_s + SETUP_MARGIN_S, self._too_late, worker)

    async def follow(self, worker: SocketWorker, exited: "asyncio.Future[int | None]") -> int | None:
        """Wait for the worker's end; kill one that hung up, or never got ready."""
        watchdog = self.watchdog(worker)
        heard = asyncio.ensure_future(self._hear(worker, watchdog))
        either: set[asyncio.Future[Any]] = {heard, exited}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        watchdog.cancel()
        done, _ = await asyncio.wait({exited}, timeout=SETTLE_S)
        if not done:
            worker.kill()
            done, _ = await asyncio.wait({exited}, timeout=SETTLE_S)
        # What it said, such as why it failed, may still lie in the socket, even its first word.
        await asyncio.wait({heard}, timeout=SETTLE_S)
        heard.cancel()
        return exited.result() if done else None

    async def _hear(self, worker: SocketWorker, watchdog: asyncio.TimerHandle) -> None:
        async for event in worker.channel.events():
            match event["event"]:
                case "hello" if worker.pid != event["pid"]:
                    worker.set_process(event["pid"], pid_killer(event["pid"]))
                case "ready":
                    watchdog.cancel()
                    phases = tuple((each["name"], each["ms"]) for each in event["phases"])
                    worker.set_ready(Ready(concurrency=event["concurrency"], phases=phases))
                case "failed":
                    worker.set_failed(failure_of(event))
                case "stuck":
                    self._log.write(
                        "error", "worker-stuck", "predict did not end; killing it", worker=worker.id
                    )
                    asyncio.get_running_loop().call_later(STUCK_S, worker.kill)
                case _:
                    pass

    def _too_late(self, worker: SocketWorker) -> None:
        worker.set_failed(
            StartFailed(f"setup did not end within limits.setup_s = {self._setup_s:g} s", phase="setup")
        )
        worker.kill()
        if worker.pid is None:
            self._kill_zygote()


def failure_of(event: Event) -> StartFailed:
    """Return what a process said before it gave up."""
    return StartFailed(
        str(event.get("message") or "no message"),
        phase=str(event.get("phase") or "setup"),
        traceback=str(event.get("traceback") or ""),
    )


def killer(process: asyncio.subprocess.Process) -> Callable[[], None]:
    """Return what kills a child of this process, once."""
    kill_pid = pid_killer(process.pid)

    def kill() -> None:
        # Not process.kill(): that may reap the child before asyncio does, and its exit code is lost.
        if process.returncode is None:
            kill_pid()

    return kill


def pid_killer(pid: int) -> Callable[[], None]:
    """Return what kills a process that another one started."""

    def kill() -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    return kill
