"""The zygote: a process that has run setup and forks the workers of one release.

It judges for itself whether its handler is fork-safe: if so it forks every worker, otherwise it
becomes the first worker and says why.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from preheat.runtime.supervision import describe_exit
from preheat_providers.local.supervisor.control import Channel
from preheat_providers.local.supervisor.following import SETTLE_S, failure_of
from preheat_providers.local.supervisor.worker import SocketWorker, StartFailed


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
class Zygote:
    """A process that forks workers. `fate` says whether it can, or becomes the StartFailed that ended it."""

    id: str
    process: asyncio.subprocess.Process
    channel: Channel
    fate: "asyncio.Future[Fork]"
    exits: dict[str, "asyncio.Future[int | None]"] = field(default_factory=dict)

    def expect_exit(self, worker: SocketWorker) -> "asyncio.Future[int | None]":
        """Return what will be the exit code of a worker that it forks, or becomes."""
        self.exits[worker.id] = exited = asyncio.get_running_loop().create_future()
        return exited

    def fork(self, worker: SocketWorker, scratch: Path) -> "asyncio.Future[int | None]":
        """Ask for a fork that becomes `worker`; return what will be its exit code."""
        exited = self.expect_exit(worker)
        order = {"op": "fork", "id": worker.id, "socket": str(worker.socket), "tmp": str(scratch)}
        self.channel.send(order)
        return exited

    async def follow(self, worker: SocketWorker) -> bool:
        """Learn what the process becomes, and pass on how its children end, until it is gone itself.

        Say whether it ended before it had become anything.
        """
        heard = asyncio.ensure_future(self._hear(worker))
        code = await self.process.wait()
        await asyncio.wait({heard}, timeout=SETTLE_S)  # its words may still lie in the socket
        heard.cancel()
        undecided = not self.fate.done()
        if undecided:
            how = f"the process ended in setup: {describe_exit(code)}"
            self.fate.set_exception(worker.failure or StartFailed(how, phase="setup"))
        for exited in self.exits.values():
            if not exited.done():
                exited.set_result(None)
        return undecided

    async def _hear(self, worker: SocketWorker) -> None:
        async for event in self.channel.events():
            match event["event"]:
                case "zygote":
                    fork = event["fork"]
                    self.fate.set_result(
                        Fork(safe=fork["safe"], reason=fork["reason"], phases=event["phases"])
                    )
                case "failed":
                    worker.set_failed(failure_of(event))
                case "exited" if event["id"] in self.exits:
                    exited = self.exits.pop(event["id"])
                    exited.set_result(-event["signal"] if event["signal"] else event["code"])
                case _:
                    pass
