"""What a server's flags come to: one process with the model, one worker of several, or their host."""

import os
import socket
from typing import TYPE_CHECKING, NoReturn

from preheat.errors import PreheatError
from preheat.interface.manifest import read_manifest
from preheat.runtime.cpus import cpu_share, set_threads, threads_of
from preheat.runtime.forking import work_in
from preheat.runtime.loader import load
from preheat.runtime.log import log_to_stderr
from preheat.runtime.model_process import leave
from preheat.runtime.phases import PhaseClock
from preheat.runtime.server import scratch
from preheat.runtime.server.answered import Answered
from preheat.runtime.server.bundled import Bundled
from preheat.runtime.server.config import Config
from preheat.runtime.server.doors import Door, HostDoor, OwnDoor
from preheat.runtime.server.listening import bind
from preheat.runtime.server.orphans import leave_process_one
from preheat.runtime.server.process import HttpProcess

if TYPE_CHECKING:
    from preheat.runtime.server.waiting_room import WaitingRoom

BACKLOG = 512
PORT_HINT = "Stop that, or choose another one: --port N"


def serve(config: Config) -> NoReturn:
    """Be what `config` asks for."""
    if os.getpid() == 1:
        leave_process_one()
    started_with = dict(os.environ)
    share = cpu_share()
    threads = threads_of(share, config.workers)
    set_threads(os.environ, threads)
    bundled = Bundled(config, read_manifest(config.code), cpus=share / config.workers)
    if config.line is not None:
        _be_worker(bundled, config.line)
    listener = _listener(config)
    listener.listen(BACKLOG)  # who comes before the model is ready waits, unless somebody answers
    room = _waiting_room(listener) if config.ping_decides else None
    limit_s = bundled.manifest.limits.setup_s
    log_to_stderr(
        {
            "level": "info",
            "event": "starting",
            "message": f"{bundled.manifest.name} is loading; after {limit_s:g} s SIGALRM would end it.",
            "processors": share,
            "workers": config.workers,
            "threads": threads,
        }
    )
    if config.workers > 1:
        from preheat.runtime.server.hosting import be_host

        be_host(bundled, listener, started_with, room)
    folder = scratch.make()
    _load_and_serve(bundled.within(folder), OwnDoor(listener, folder, room))


def _be_worker(bundled: Bundled, line: int) -> NoReturn:
    """Be a worker that was not forked with the model."""
    config = bundled.config
    assert config.folder is not None
    folder = scratch.make_for(config.folder, config.slot)
    _load_and_serve(bundled.within(folder), HostDoor(socket.socket(fileno=line), config.slot))


def _load_and_serve(bundled: Bundled, door: Door) -> NoReturn:
    work_in(bundled.place.tmp)
    clock = PhaseClock()
    answered = Answered()
    process = HttpProcess(bundled, door, clock, answered)
    process.run(lambda run: load(bundled.place, bundled.manifest, clock, run, answered.hear))


def _waiting_room(listener: socket.socket) -> "WaitingRoom":
    from preheat.runtime.server.waiting_room import WaitingRoom

    return WaitingRoom(listener)


def _listener(config: Config) -> socket.socket:
    if config.listener is not None:
        listener = socket.socket(fileno=config.listener)
        listener.set_inheritable(False)
        listener.setblocking(False)
        return listener
    try:
        return bind(config.host, config.port, hint=PORT_HINT)
    except PreheatError as error:
        message = f"{error.message} {error.hint}"
        log_to_stderr({"level": "error", "event": "failed", "message": message})
        leave(1)
