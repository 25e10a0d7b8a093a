"""A worker that is measured while the supervisor of the same home comes and goes."""

import json
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.fakes.rehearsing import UPPER
from tests.functional.coldstart.conftest import Made

from preheat.coldstart.starting import Starter
from preheat.coldstart.subject import Subject
from preheat.provider.rehearsal import Start
from preheat_providers.local.client import SupervisorClient


def test_a_supervisor_that_starts_and_ends_leaves_the_worker_its_sockets(
    made: Made, starter: Callable[[Subject], Starter], home: Path
) -> None:
    subject = made(UPPER)
    supervisor = SupervisorClient(home)
    folders: list[Path] = []

    @contextmanager
    def prepare(folder: Path) -> Iterator[Start]:
        with subject.rehearsal.prepare(folder) as start:
            sockets = Path(json.loads(start.launch.stdin)["control"]).parent
            folders.append(sockets)
            assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
            try:
                supervisor.order("hello")
            finally:
                supervisor.shut_down()
            yield start

    assert starter(subject).start(replace(subject.rehearsal, prepare=prepare)).answer == b'"A"'
    assert not folders[0].exists()
