import os
import threading
from pathlib import Path

import pytest
from tests.fakes.patience import PATIENCE_S

from preheat.errors import Conflict
from preheat_providers.local.supervisor.lock import Holder, SupervisorLock, read_holder, wait_until_free


def test_a_home_has_one_holder_and_the_other_is_told_which(tmp_path: Path) -> None:
    path = tmp_path / "supervisor.lock"
    lock = SupervisorLock(path)
    lock.note(tmp_path / "sockets")
    assert read_holder(path) == Holder(os.getpid(), tmp_path / "sockets")
    with pytest.raises(Conflict, match=str(os.getpid())) as caught:
        SupervisorLock(path)
    assert caught.value.hint == f"To end it: kill {os.getpid()}"
    lock.release()
    SupervisorLock(path).release()


@pytest.mark.parametrize("note", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1}'])
def test_a_half_written_note_names_nobody(tmp_path: Path, note: str) -> None:
    path = tmp_path / "supervisor.lock"
    path.write_text(note)
    assert read_holder(path) is None
    SupervisorLock(path).release()


def test_waiting_ends_when_the_holder_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "supervisor.lock"
    lock = SupervisorLock(path)
    waiting = threading.Thread(target=wait_until_free, args=(path,))
    waiting.start()
    assert waiting.is_alive()
    lock.release()
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()
