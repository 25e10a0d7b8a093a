"""A process that has run setup and forks workers which are ready in milliseconds.

It has one thread and waits in poll for orders and for children that ended. A handler whose setup
leaves behind what a fork breaks makes it an ordinary worker instead, so that nothing is wasted.
"""

import gc
import os
import select
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NoReturn

from preheat.interface.manifest import read_manifest
from preheat.runtime.assignment import Assignment
from preheat.runtime.confine import time_limit
from preheat.runtime.control import Control, redirect_output
from preheat.runtime.failures import describe, user_traceback
from preheat.runtime.forking import Fork, judge_fork, open_files, work_in
from preheat.runtime.loader import Model, RunCoroutine, load_after_fork, load_before_fork
from preheat.runtime.log import log_to_stderr
from preheat.runtime.model_process import leave
from preheat.runtime.phases import PhaseClock, PhaseFailed
from preheat.runtime.worker import Worker, report_failure


def run_zygote(assignment: Assignment) -> NoReturn:
    """Be the zygote of `assignment` and fork that worker first; or be it, when forking is unsafe."""
    control = Control.connect(assignment.control)
    control.send({"event": "hello", "id": f"{assignment.id}-zygote", "pid": os.getpid(), "zygote": True})
    before = open_files()
    clock = PhaseClock()
    manifest = read_manifest(assignment.place.code)
    try:
        with time_limit(manifest.limits.setup_s):
            model = load_before_fork(assignment.place, manifest, clock)
    except PhaseFailed as failure:
        report_failure(control, failure)
    fork = judge_fork(before)
    control.send(
        {"event": "zygote", "fork": asdict(fork), "phases": [asdict(phase) for phase in clock.phases]}
    )
    if fork.safe:
        Zygote(assignment, model, control).run()
    control.close()
    _serve(assignment, model, clock, fork)


class Zygote:
    """Forks workers with `model` set up, and reports how they end."""

    def __init__(self, assignment: Assignment, model: Model, control: Control) -> None:
        self._assignment = assignment
        self._model = model
        self._control = control
        self._children: dict[int, tuple[int, str]] = {}
        self._poll = select.poll()
        self._draining = False

    def run(self) -> NoReturn:
        """Fork the first worker, then obey orders until told to drain and no child is left."""
        gc.collect()
        gc.freeze()  # a collection in a child would write to, and so copy, every page of the model
        self._poll.register(self._control.fileno(), select.POLLIN)
        self._fork(self._assignment)
        while self._children or not self._draining:
            for descriptor, _ in self._poll.poll():
                if descriptor in self._children:
                    self._reap(descriptor)
                else:
                    self._obey()
        leave(0)

    def _obey(self) -> None:
        for order in self._control.receive():
            match order["op"]:
                case "drain":
                    self._draining = True
                case "fork":
                    self._fork(_for_child(self._assignment, order))

    def _fork(self, assignment: Assignment) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            pid = os.fork()
        except OSError as exc:
            log_to_stderr({"level": "error", "event": "fork-failed", "message": describe(exc)})
            self._report_exit(assignment.id, 1)
            return
        if pid == 0:
            self._be_child(assignment)
        descriptor = os.pidfd_open(pid)
        self._children[descriptor] = (pid, assignment.id)
        self._poll.register(descriptor, select.POLLIN)

    def _reap(self, descriptor: int) -> None:
        pid, child_id = self._children.pop(descriptor)
        self._poll.unregister(descriptor)
        os.close(descriptor)
        _, status = os.waitpid(pid, 0)
        self._report_exit(child_id, os.waitstatus_to_exitcode(status))

    def _report_exit(self, child_id: str, code: int) -> None:
        ended = {"code": None, "signal": -code} if code < 0 else {"code": code, "signal": None}
        self._control.send({"event": "exited", "id": child_id, **ended})

    def _be_child(self, assignment: Assignment) -> NoReturn:
        try:
            self._control.close()
            for descriptor in self._children:
                os.close(descriptor)
            redirect_output(assignment.control, assignment.id)
            work_in(assignment.place.tmp)
            _serve(assignment, self._model.moved(assignment.place.tmp), PhaseClock(), Fork(safe=True))
        except BaseException as exc:  # noqa: BLE001 - nothing may return into the zygote's own code
            log_to_stderr(
                {
                    "level": "error",
                    "event": "worker-failed",
                    "message": describe(exc),
                    "traceback": user_traceback(exc),
                }
            )
        finally:
            os._exit(1)


def _serve(assignment: Assignment, model: Model, clock: PhaseClock, fork: Fork) -> NoReturn:
    def finish(run: RunCoroutine) -> Model:
        return load_after_fork(model, clock, run)

    Worker(assignment, clock, fork).run(finish, model.limits.setup_s)


def _for_child(assignment: Assignment, order: dict[str, Any]) -> Assignment:
    place = replace(assignment.place, tmp=Path(order["tmp"]))
    return replace(assignment, id=order["id"], socket=order["socket"], place=place)
