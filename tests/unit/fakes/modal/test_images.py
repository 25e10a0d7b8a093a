"""Builds that go wrong, and what another process of the same run sees of one."""

import asyncio
from pathlib import Path

from modal_proto import api_pb2
from tests.fakes.modal.files import Files
from tests.fakes.modal.images import Images
from tests.fakes.modal.recipe import Tree
from tests.fakes.modal.state import State
from tests.fakes.patience import PATIENCE_S


def test_settings_are_there_as_a_whole(tmp_path: Path) -> None:
    path, root = tmp_path / "settings.json", tmp_path / "root"
    Tree(root, {"NUMBER": "one"}).save(path)
    whole = path.read_text()
    with path.open() as reader:
        Tree(root, {"NUMBER": "two"}).save(path)
        assert reader.read() == whole
    assert list(tmp_path.iterdir()) == [path]


async def built(images: Images, image: api_pb2.Image) -> list[api_pb2.ImageJoinStreamingResponse]:
    """Return what whoever waits for a build is told."""
    identity = images.ImageGetOrCreate(api_pb2.ImageGetOrCreateRequest(image=image)).image_id
    asked = api_pb2.ImageJoinStreamingRequest(image_id=identity, timeout=PATIENCE_S)
    return [answer async for answer in images.ImageJoinStreaming(asked)]


def test_a_build_that_breaks_in_an_unforeseen_way_ends_and_says_how(tmp_path: Path) -> None:
    state = State(tmp_path)
    images = Images(state, Files(state), tmp_path / "cache")
    told = asyncio.run(built(images, api_pb2.Image(context_mount_id="mo-nowhere")))
    assert told[-1].result.status == api_pb2.GenericResult.GENERIC_STATUS_FAILURE
    assert "KeyError('mo-nowhere')" in told[0].task_logs[0].data
