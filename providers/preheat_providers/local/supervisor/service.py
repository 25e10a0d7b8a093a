"""The supervisor from start to end: opens the home, restores its functions, answers orders, drains."""

import asyncio
import logging
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from preheat_providers.local.supervisor.admin import Admin
from preheat_providers.local.supervisor.background import JobsAndTriggers
from preheat_providers.local.supervisor.control import ControlServer
from preheat_providers.local.supervisor.home import Home
from preheat_providers.local.supervisor.lock import SupervisorLock
from preheat_providers.local.supervisor.memory import give_back
from preheat_providers.local.supervisor.orders import Orders
from preheat_providers.local.supervisor.paths import HomePaths
from preheat_providers.local.supervisor.state import State
from preheat_providers.local.supervisor.surroundings import Surroundings

ADMIN_SOCKET = "admin.sock"
CONTROL_SOCKET = "control.sock"
LINGER_S = 5.0
"""How long a supervisor without a function waits for its first order."""

logger = logging.getLogger("preheat.supervisor")


class Service:
    """One supervisor. `on_ready` is called once orders are taken."""

    def __init__(self, paths: HomePaths, *, on_ready: Callable[[], None]) -> None:
        self._paths = paths
        self._on_ready = on_ready
        self._stop = asyncio.Event()
        self._linger: asyncio.TimerHandle | None = None
        self._nothing_left = False

    async def run(self) -> None:
        """Serve until told to stop, or until nothing is deployed. Raises Conflict, ProviderError."""
        lock = SupervisorLock(self._paths.lock)
        try:
            sockets = self._paths.make_sockets()
            try:
                with State(self._paths.state) as state:
                    await self._serve(state, sockets, lock)
                self._clean_up()
            finally:
                shutil.rmtree(sockets, ignore_errors=True)
        finally:
            lock.release()

    async def _serve(self, state: State, sockets: Path, lock: SupervisorLock) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        control = ControlServer(sockets / CONTROL_SOCKET)
        background = JobsAndTriggers(
            self._paths, lambda key: home.engine_of(key), log_of=lambda key: home.log_of(key)
        )
        around = Surroundings(paths=self._paths, state=state, control=control, background=background)
        home = Home(around, on_empty=self._stop.set)
        orders = Orders(home, background, on_quit=self._stop.set)
        admin = Admin(orders, on_idle=lambda: self._wait_for_work(home, admin))
        _remove_leftovers(self._paths, sockets)
        await control.start()
        await background.start()
        await home.restore()
        await admin.start(sockets / ADMIN_SOCKET)
        lock.note(sockets)
        give_back()
        logger.info("pid %d serves %s", os.getpid(), self._paths.home)
        self._on_ready()
        self._wait_for_work(home, admin)
        await self._stop.wait()
        logger.info("stopping")
        await admin.stop()
        await background.stop()
        await home.stop()
        await control.stop()
        self._nothing_left = home.empty

    def _wait_for_work(self, home: Home, admin: Admin) -> None:
        if self._linger is not None:
            self._linger.cancel()

        def leave() -> None:
            if home.empty and not admin.busy:
                self._stop.set()

        self._linger = asyncio.get_running_loop().call_later(LINGER_S, leave)

    def _clean_up(self) -> None:
        if self._nothing_left:
            for folder in ("logs", "access", "tokens", "secrets", "tmp", "dead-letters"):
                _remove_if_empty(self._paths.home / folder)
            for database in (self._paths.state, self._paths.jobs):
                for suffix in ("", "-wal", "-shm"):
                    database.with_name(database.name + suffix).unlink(missing_ok=True)
            _remove_if_empty(self._paths.jobs.with_name(self._paths.jobs.name + ".bodies"))


def _remove_leftovers(paths: HomePaths, sockets: Path) -> None:
    """Remove what a killed predecessor left: its workers ended with it, their sockets and files did not."""
    for path in sockets.iterdir():
        path.unlink(missing_ok=True)  # a coldstart removes its own
    shutil.rmtree(paths.home / "tmp", ignore_errors=True)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
