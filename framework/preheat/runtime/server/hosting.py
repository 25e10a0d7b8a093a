"""A host that forks its workers from the model it has set up, or whose workers each load it themselves."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from preheat.runtime.confine import time_limit
from preheat.runtime.forking import judge_fork, open_files, work_in
from preheat.runtime.loader import Model, load_after_fork, load_before_fork
from preheat.runtime.log import log_to_stderr
from preheat.runtime.model_process import leave
from preheat.runtime.phases import PhaseClock
from preheat.runtime.server import scratch
from preheat.runtime.server.answered import Answered
from preheat.runtime.server.bundled import Bundled
from preheat.runtime.server.doors import HostDoor
from preheat.runtime.server.host import Begin, Host
from preheat.runtime.server.process import HttpProcess, import_application, report_failure
from preheat.runtime.server.signals import Signals

if TYPE_CHECKING:
    from preheat.runtime.server.waiting_room import WaitingRoom


def be_host(
    bundled: Bundled,
    listener: socket.socket,
    started_with: Mapping[str, str],
    room: "WaitingRoom | None" = None,
) -> NoReturn:
    """Serve with several workers. `started_with` is the environment to start over with.

    Until the first worker is ready, `room` answers.
    """
    origin = Path.cwd()
    folder = scratch.make()

    def end(code: int) -> NoReturn:
        scratch.remove(folder)
        leave(code)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end(0))  # until there is something to drain
    signals = Signals()
    config = bundled.config
    if config.fresh is not None:
        _say("not-forked", f"Each worker is a fresh process, because {config.fresh}.")
        begin = _executing(folder)
    else:
        before, answered = open_files(), Answered()
        work_in(folder)
        try:
            model = _set_up(bundled.within(folder), answered)
        except Exception as exc:  # noqa: BLE001 - the process's boundary: whatever happened must reach the log
            report_failure(exc)
            end(1)
        fork = judge_fork(before)
        if not fork.safe:
            os.chdir(origin)
            scratch.remove(folder)
            if room is not None:
                room.close()
            _start_over(listener, fork.reason or "", started_with)
        begin = _forking(bundled, model, answered, folder)
    host = Host(
        listener,
        signals,
        begin,
        wanted=config.workers,
        drain_s=config.drain_s,
        on_first_ready=room.close if room is not None else lambda: None,
    )
    end(host.run())


def _set_up(bundled: Bundled, answered: Answered) -> Model:
    imported = import_application()
    with time_limit(bundled.manifest.limits.setup_s):
        model = load_before_fork(bundled.place, bundled.manifest, PhaseClock(), answered.hear)
        _outlive(imported)
    return model


def _outlive(thread: threading.Thread) -> None:
    """Wait for the end of `thread`; the kernel counts it for some microseconds more than Python does."""
    thread.join()
    while Path(f"/proc/self/task/{thread.native_id}").exists():
        os.sched_yield()


def _forking(bundled: Bundled, model: Model, answered: Answered, folder: Path) -> Begin:
    """Return what makes a fork of this process, in which `model` is set up, a worker."""

    def begin(slot: int, line: socket.socket) -> NoReturn:
        own = scratch.make_for(folder, slot)
        work_in(own)
        worker = replace(bundled, config=replace(bundled.config, slot=slot, folder=folder), tmp=own)
        clock = PhaseClock()
        process = HttpProcess(worker, HostDoor(line, slot), clock, answered)
        process.run(lambda run: load_after_fork(model.moved(own), clock, run, answered.hear))

    return begin


def _executing(folder: Path) -> Begin:
    """Return what makes a fork of this process a fresh one, which loads the model itself."""

    def begin(slot: int, line: socket.socket) -> NoReturn:
        line.set_inheritable(True)
        _execute(["--line", str(line.fileno()), "--slot", str(slot), "--folder", str(folder)], os.environ)

    return begin


def _start_over(listener: socket.socket, reason: str, environment: Mapping[str, str]) -> NoReturn:
    """Become a host without a model: this process has one that no child could use."""
    listener.set_inheritable(True)
    _execute(["--listener", str(listener.fileno()), "--fresh", reason], environment)


def _execute(flags: list[str], environment: Mapping[str, str]) -> NoReturn:
    os.execve(sys.executable, [*sys.orig_argv, *flags], environment)  # noqa: S606 - ourselves, by a path


def _say(event: str, message: str) -> None:
    log_to_stderr({"level": "info", "event": event, "message": message})
