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
from tests.fakes.patience import PATIENCE_S

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
    for name, content in (("a.bin", os.urandom(MB)), ("deep/b.bin", os.urandom(20 * MB)), ("c", b"")):
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
    (weights / "a.bin").write_bytes(os.urandom(MB))
    data.send(weights, "e" * 64, quiet)
    assert {path.partition("/")[0] for path in data.files("/")} == {FOLDER, "e" * 64}
    assert data.files(FOLDER)[f"{FOLDER}/a.bin"] == MB


def test_a_ctrl_c_in_the_middle_is_gone_on_from(
    plane: ControlPlane, data: Data, weights: Path, tmp_path: Path
) -> None:
    here, held = plane.blocks_received, plane.uploads_held
    plane.hold_uploads(after=2)
    environment = {**os.environ, "PYTHONPATH": "framework:providers"}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, data.name, str(weights), FOLDER],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    plane.until(lambda: plane.blocks_received == here + 2 and plane.uploads_held > held)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) != 0
    assert FOLDER not in {path.partition("/")[0] for path in data.files("/")}

    plane.hold_uploads(after=100)  # what hangs goes on hanging: nothing of it arrives late
    data.send(weights, FOLDER, quiet)
    assert plane.blocks_received == here + 4, "the first two of the four blocks were sent again"
    assert (plane.volume(data.name).folder / FOLDER / "deep/b.bin").stat().st_size == 20 * MB


def test_a_lost_connection_is_tried_again(plane: ControlPlane, data: Data, weights: Path) -> None:
    plane.drop_uploads(2)
    data.send(weights, FOLDER, quiet)
    assert len(data.files(FOLDER)) == 3


def test_an_upload_of_which_nothing_moves_any_more_is_given_up_and_gone_on_from(
    plane: ControlPlane, data: Data, weights: Path
) -> None:
    here = plane.blocks_received
    plane.hold_uploads(after=2)
    impatient = Data(Client(), data.name, "", stall_s=5.0)
    with pytest.raises(
        ProviderError, match=r"nothing has moved for 5 s, after \d+ of 22020096 bytes"
    ) as raised:
        impatient.send(weights, FOLDER, quiet)
    assert raised.value.hint == "Deploy again: it goes on from there."
    assert plane.blocks_received == here + 2

    plane.hold_uploads(after=100)  # what hangs goes on hanging: nothing of it arrives late
    data.send(weights, FOLDER, quiet)
    assert plane.blocks_received == here + 4


def test_a_connection_that_is_always_lost_is_given_up(plane: ControlPlane, data: Data, weights: Path) -> None:
    plane.drop_uploads(1000)
    impatient = Data(Client(), data.name, "", stall_s=1.0)
    with pytest.raises(ProviderError, match="weights cannot be sent to the Volume"):
        impatient.send(weights, FOLDER, quiet)
    plane.drop_uploads(0)


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
