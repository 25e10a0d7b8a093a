"""Weights on their way into the app's Volume: once, whole, and on from where it broke off."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from grpclib import Status
from tests.fakes.modal.plane import ControlPlane

from preheat.errors import ProviderError
from preheat.progress import Amount, Event, quiet
from preheat_providers.modal.client import Client
from preheat_providers.modal.volume import Data

MB = 1 << 20
FOLDER = "f" * 64
PROGRAM = """
import sys
from pathlib import Path
from preheat.progress import quiet
from preheat_providers.modal.client import Client
from preheat_providers.modal.volume import Data
data = Data(Client(), sys.argv[1], "")
data.make()
data.send(Path(sys.argv[2]), sys.argv[3], quiet)
"""


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Three files, one of them of three blocks."""
    folder = tmp_path / "weights"
    (folder / "deep").mkdir(parents=True)
    for name, content in (("a.bin", b"a" * MB), ("deep/b.bin", os.urandom(20 * MB)), ("c", b"")):
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def data(plane: ControlPlane, tmp_path: Path) -> Iterator[Data]:
    data = Data(Client(), f"volume-{tmp_path.name}", "")
    data.make()
    yield data
    plane.release_uploads()


def blocks(plane: ControlPlane, since: int) -> int:
    """How many times the client said which blocks there are."""
    return [entry.rpc for entry in plane.journal.entries[since:]].count("VolumePutFiles2")


def test_what_is_there_is_as_it_was_here_and_is_sent_once(
    plane: ControlPlane, data: Data, weights: Path
) -> None:
    said: list[Event] = []
    assert data.send(weights, FOLDER, said.append) == 21 * MB
    sent = plane.volume(data.name)
    for path in ("a.bin", "deep/b.bin", "c"):
        assert (sent.folder / FOLDER / path).read_bytes() == (weights / path).read_bytes()
    amounts = [event.done for event in said if isinstance(event, Amount)]
    assert (amounts[-1], amounts == sorted(amounts)) == (21 * MB, True)

    before = len(plane.journal.entries)
    assert data.send(weights, FOLDER, quiet) == 0
    assert blocks(plane, before) == 0


def test_one_changed_file_is_one_upload_into_a_new_folder(
    plane: ControlPlane, data: Data, weights: Path
) -> None:
    data.send(weights, FOLDER, quiet)
    (weights / "a.bin").write_bytes(b"b" * MB)
    data.send(weights, "e" * 64, quiet)
    assert {path.partition("/")[0] for path in data.files("/")} == {FOLDER, "e" * 64}
    assert data.files(FOLDER)[f"{FOLDER}/a.bin"] == MB


def test_a_ctrl_c_in_the_middle_is_gone_on_from(
    plane: ControlPlane, data: Data, weights: Path, tmp_path: Path
) -> None:
    plane.hold_uploads(after=2)
    environment = {**os.environ, "PYTHONPATH": "framework:providers"}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, data.name, str(weights), FOLDER],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    here = len(plane.stored_blocks())
    plane.until(lambda: len(plane.stored_blocks()) >= here + 2)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    assert FOLDER not in {path.partition("/")[0] for path in data.files("/")}

    plane.release_uploads()
    kept = plane.stored_blocks()
    data.send(weights, FOLDER, quiet)
    new = [name for name in plane.stored_blocks() if name not in kept]
    assert len(new) == 4 - 2, "a.bin, and three blocks of b.bin, but for the two that were there"
    assert (plane.volume(data.name).folder / FOLDER / "deep/b.bin").stat().st_size == 20 * MB


def test_a_lost_connection_is_tried_again(plane: ControlPlane, data: Data, weights: Path) -> None:
    plane.drop_uploads(2)
    data.send(weights, FOLDER, quiet)
    assert len(data.files(FOLDER)) == 3


def test_a_volume_without_room_is_said_so(plane: ControlPlane, data: Data, weights: Path) -> None:
    plane.fail("VolumePutFiles2", Status.RESOURCE_EXHAUSTED, message="The Volume is full")
    with pytest.raises(
        ProviderError, match=r"quota of the workspace is used up \(The Volume is full\)"
    ) as raised:
        data.send(weights, FOLDER, quiet)
    assert raised.value.hint is not None


def test_a_file_that_did_not_arrive_as_it_was_sent_is_an_error(
    plane: ControlPlane, data: Data, weights: Path
) -> None:
    class Losing(Data):
        def files(self, folder: str) -> dict[str, int]:
            return {path: size for path, size in super().files(folder).items() if "a.bin" not in path}

    losing = Losing(Client(), data.name, "")
    with pytest.raises(ProviderError, match=r"a\.bin is not in the Volume"):
        losing.send(weights, FOLDER, quiet)
