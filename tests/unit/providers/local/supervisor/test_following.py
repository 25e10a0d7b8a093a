"""How a worker ends: by a kill that comes after its own end, or late with nobody of its own to kill."""

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from tests.fakes.patience import PATIENCE_S

from preheat_providers.local.supervisor.control import Channel
from preheat_providers.local.supervisor.following import SETUP_MARGIN_S, Follower, killer
from preheat_providers.local.supervisor.logs import FunctionLog
from preheat_providers.local.supervisor.worker import SocketWorker, StartFailed


class Unreaped:
    """A child that has ended with exit code 3, of which asyncio has not heard yet."""

    returncode: int | None = None

    def __init__(self) -> None:
        self._popen = subprocess.Popen(["sh", "-c", "exit 3"])
        self.pid = self._popen.pid
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)

    def kill(self) -> None:
        self._popen.kill()

    def reap(self) -> int:
        """Do what asyncio does once it hears of it."""
        _, status = os.waitpid(self.pid, 0)
        self.returncode = self._popen.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def test_a_kill_does_not_take_the_exit_code_of_a_process_that_has_just_ended() -> None:
    child = Unreaped()
    killer(cast("asyncio.subprocess.Process", child))()
    assert child.reap() == 3


def follow_one_that_is_late(
    folder: Path, pid: int | None, kill: Callable[[], None], kill_zygote: Callable[[], None]
) -> None:
    """Follow a worker of `pid` whose time for setup is over at once; either kill ends it."""

    async def main() -> None:
        channel = Channel()
        worker = SocketWorker("w", socket=folder / "w.sock", channel=channel)
        exited: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

        def end(how: Callable[[], None]) -> Callable[[], None]:
            def ended() -> None:
                how()
                channel.close()
                exited.set_result(None)

            return ended

        if pid is not None:
            worker.set_process(pid, end(kill))
        log = FunctionLog(folder / "log")
        follower = Follower(-SETUP_MARGIN_S, log, kill_zygote=end(kill_zygote))
        assert await asyncio.wait_for(follower.follow(worker, exited), PATIENCE_S) is None
        log.close()
        with pytest.raises(StartFailed, match="setup did not end"):
            await worker.started()

    asyncio.run(main())


def test_a_late_worker_is_killed_and_its_zygote_stays(tmp_path: Path) -> None:
    killed: list[str] = []
    follow_one_that_is_late(tmp_path, 7, lambda: killed.append("w"), lambda: killed.append("zygote"))
    assert killed == ["w"]


def test_a_worker_that_was_never_forked_ends_with_its_zygote(tmp_path: Path) -> None:
    killed: list[str] = []
    follow_one_that_is_late(tmp_path, None, lambda: killed.append("w"), lambda: killed.append("zygote"))
    assert killed == ["zygote"]
