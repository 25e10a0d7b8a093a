"""Processes that go wrong around a start; an entry of the test plays the worker and the zygote."""

import asyncio
import os
import select
import signal
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from tests.fakes.patience import PATIENCE_S
from tests.fakes.specs import make_spec

from preheat_providers.local.supervisor.control import ControlServer
from preheat_providers.local.supervisor.logs import FunctionLog
from preheat_providers.local.supervisor.process import ENTRY, Launch
from preheat_providers.local.supervisor.starter import ProcessStarter

PLAYER = """
    import json, os, signal, socket, subprocess, sys
    from pathlib import Path

    config = json.load(sys.stdin)
    notes = Path(config["code"])

    def say(line, **event):
        print(json.dumps(event), file=line, flush=True)

    def connect(name):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(config["control"])
        line = connection.makefile("rw")
        say(line, event="hello", id=name, pid=os.getpid())
        return line

    def work(name):
        line = connect(name)
        say(line, event="ready", phases=[], concurrency=1)
        line.readline()

    def fork(name):
        pid = os.fork()
        if pid == 0:
            os.close(1)
            os.close(2)
            work(name)
            os._exit(0)
        return pid

    def become_zygote():
        line = connect(config["id"] + "-zygote")
        say(line, event="zygote", fork={"safe": True, "reason": None}, phases=[])
        return line, fork(config["id"])
"""

LEAVES_A_CHILD = """
    child = subprocess.Popen(["sleep", "600"], start_new_session=(notes / "daemon").exists())
    (notes / "child").write_text(str(child.pid))
    work(config["id"])
"""

DIES_OF_ITS_FIRST_ORDER = """
    line, _ = become_zygote()
    while order := line.readline():
        if not (notes / "died").exists():
            (notes / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        fork(json.loads(order)["id"])
"""

HANGS_AFTER_ITS_CHILD = """
    line, child = become_zygote()
    os.waitpid(child, 0)
    say(line, event="exited", id=config["id"], code=0, signal=None)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@asynccontextmanager
async def starting(root: Path, entry: str, *, zygote: bool) -> AsyncIterator[ProcessStarter]:
    spec = make_spec(root)
    path = spec.code / ENTRY
    path.parent.mkdir(parents=True)
    path.write_text(textwrap.dedent(PLAYER) + textwrap.dedent(entry))
    control, log = ControlServer(root / "control.sock"), FunctionLog(root / "log")
    await control.start()
    launch = Launch(spec=spec, release=1, secrets={}, control=control.path, sockets=root, tmp=root / "tmp")
    starter = ProcessStarter(launch, control, log, zygote=zygote, zygote_idle_s=600)
    try:
        yield starter
    finally:
        await control.stop()  # on which every process of the test ends
        await asyncio.wait_for(starter.close(), PATIENCE_S)
        log.close()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await test()

    asyncio.run(main())


@pytest.mark.parametrize("daemon", [False, True])
def test_a_child_that_holds_a_workers_output_does_not_hold_up_the_end(tmp_path: Path, daemon: bool) -> None:
    """One in the worker's session ends with it; what left the session is let go."""

    async def test() -> None:
        async with starting(tmp_path, LEAVES_A_CHILD, zygote=False) as starter:
            notes = tmp_path / "code"
            if daemon:
                (notes / "daemon").touch()
            worker = starter.start()
            await worker.started()
            child = os.pidfd_open(int((notes / "child").read_text()))
            try:
                worker.drain()
                assert await worker.ended() == "exit code 0"
                await starter.close()
                ended, _, _ = select.select([child], [], [], 0 if daemon else PATIENCE_S)
                assert bool(ended) is not daemon
            finally:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(child, signal.SIGKILL)
                os.close(child)

    run(test)


def test_a_worker_whose_zygote_died_of_the_order_is_started_all_the_same(tmp_path: Path) -> None:
    async def test() -> None:
        async with starting(tmp_path, DIES_OF_ITS_FIRST_ORDER, zygote=True) as starter:
            await starter.start().started()
            worker = starter.start()
            assert (await worker.started()).concurrency == 1
            assert (tmp_path / "code" / "died").exists()
            worker.drain()
            await starter.close()

    run(test)


def test_a_zygote_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async def test() -> None:
        async with starting(tmp_path, HANGS_AFTER_ITS_CHILD, zygote=True) as starter:
            worker = starter.start()
            await worker.started()
            worker.drain()
            assert await worker.ended() == "exit code 0"
            await starter.close()

    run(test)
