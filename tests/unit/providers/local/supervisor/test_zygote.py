"""Processes that are gone before the supervisor has heard a word of theirs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from preheat_providers.local.supervisor.control import Channel, ControlServer
from preheat_providers.local.supervisor.following import Follower
from preheat_providers.local.supervisor.logs import FunctionLog
from preheat_providers.local.supervisor.worker import SocketWorker, StartFailed
from preheat_providers.local.supervisor.zygote import Zygote

SAID = (
    {"event": "hello", "id": "w", "pid": 1},
    {"event": "failed", "phase": "setup", "message": "no weights"},
)


async def say(control: Path) -> None:
    """Say it all in one connection that is closed at once."""
    _, writer = await asyncio.open_unix_connection(control)
    writer.write(b"".join(json.dumps(event).encode() + b"\n" for event in SAID))
    writer.close()


async def ended_process() -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec("false")
    await process.wait()
    return process


@asynccontextmanager
async def listening(folder: Path) -> AsyncIterator[tuple[ControlServer, Channel]]:
    server = ControlServer(folder / "control.sock")
    await server.start()
    try:
        yield server, server.expect("w", lambda line: None)
    finally:
        await server.stop()


def test_a_zygote_that_ended_at_once_has_failed_for_the_reason_it_gave(tmp_path: Path) -> None:
    async def main() -> None:
        async with listening(tmp_path) as (server, channel):
            worker = SocketWorker("w", socket=tmp_path / "w.sock", channel=channel)
            fate = asyncio.get_running_loop().create_future()
            zygote = Zygote(id="w", process=await ended_process(), channel=channel, fate=fate)
            undecided, _ = await asyncio.gather(zygote.follow(worker), say(server.path))
            assert undecided
            with pytest.raises(StartFailed, match="no weights"):
                await fate

    asyncio.run(main())


def test_a_worker_that_ended_at_once_has_failed_for_the_reason_it_gave(tmp_path: Path) -> None:
    async def main() -> None:
        async with listening(tmp_path) as (server, channel):
            worker = SocketWorker("w", socket=tmp_path / "w.sock", channel=channel)
            exited = asyncio.get_running_loop().create_future()
            exited.set_result(1)
            follower = Follower(20, FunctionLog(tmp_path / "log"), kill_zygote=lambda: None)
            code, _ = await asyncio.gather(follower.follow(worker, exited), say(server.path))
            assert code == 1
            assert worker.failure is not None
            assert str(worker.failure) == "no weights"

    asyncio.run(main())
