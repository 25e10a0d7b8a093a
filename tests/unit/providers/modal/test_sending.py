"""An upload that is watched: what counts as progress, and when it is given up."""

import asyncio
from typing import Self

import pytest

from preheat.progress import Amount, Event, quiet
from preheat_providers.modal.sending import HASHED_BYTES_S, Progress, send_within

MB = 10**6


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Upload:
    """Sends when it is left, as Modal's does: `pieces` at once, and then for ever nothing unless `ends`."""

    def __init__(self, progress: Progress, *, pieces: int = 0, ends: bool = True) -> None:
        self.progress, self.pieces, self.ends = progress, pieces, ends
        self.cancelled = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for _piece in range(self.pieces):
            self.progress(advance=1)
            await asyncio.sleep(0)
        try:
            if not self.ends:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_file_is_given_the_time_to_be_hashed_and_then_no_more(clock: Clock) -> None:
    progress = Progress(quiet, 1000 * MB, clock=clock)
    progress.begin(1000 * MB)
    assert progress.left_s(300) == 300 + 1000 * MB / HASHED_BYTES_S
    clock.now = 20
    progress(advance=MB)
    assert progress.left_s(300) == 300
    clock.now = 120
    assert progress.left_s(300) == 200


def test_bytes_that_are_sent_again_are_no_progress(clock: Clock) -> None:
    progress = Progress(quiet, 10 * MB, clock=clock)
    progress.begin(10 * MB)
    progress(advance=4 * MB)
    clock.now = 50
    progress(advance=-4 * MB)
    progress(advance=3 * MB)
    assert progress.left_s(300) == 250
    progress(advance=2 * MB)
    assert (progress.left_s(300), progress.most) == (300, 5 * MB)


def test_what_was_there_before_counts_when_its_group_is_committed() -> None:
    said: list[Event] = []
    progress = Progress(said.append, 10 * MB)
    for _ in range(2):
        progress.begin(5 * MB)
        progress(advance=MB)
        progress.committed()
    done = [event.done for event in said if isinstance(event, Amount)]
    assert done == [MB, 5 * MB, 6 * MB, 10 * MB]


def test_an_upload_that_ends_is_left_alone() -> None:
    progress = Progress(quiet, 3)
    progress.begin(3)
    send_within(60, Upload(progress, pieces=3), progress)
    assert progress.most == 3


def test_an_upload_of_which_nothing_moves_is_ended() -> None:
    progress = Progress(quiet, 3)
    progress.begin(3)
    upload = Upload(progress, pieces=2, ends=False)
    with pytest.raises(TimeoutError, match=r"nothing has moved for 0\.05 s, after 2 of 3 bytes"):
        send_within(0.05, upload, progress)
    assert upload.cancelled


def test_what_an_upload_raises_is_raised() -> None:
    class Refused(Upload):
        async def __aexit__(self, *_: object) -> None:
            raise ConnectionResetError("gone")

    progress = Progress(quiet, 3)
    with pytest.raises(ConnectionResetError, match="gone"):
        send_within(60, Refused(progress), progress)
