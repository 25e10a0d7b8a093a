import asyncio
from pathlib import Path

import pytest

from preheat.errors import BadInput
from preheat_providers.local.triggers.buckets import Place
from preheat_providers.local.triggers.folder import FolderBucket


def unlogged(*_: object, **__: object) -> None:
    """Drop an event."""


@pytest.fixture
def bucket(tmp_path: Path) -> FolderBucket:
    (tmp_path / "bucket").mkdir()
    return FolderBucket(Place(name="results", location=str(tmp_path / "bucket")), log=unlogged)


def test_a_result_is_written_with_its_folders(bucket: FolderBucket) -> None:
    asyncio.run(bucket.write("a/b/c.json", b"{}", "application/json"))
    assert (bucket.root / "a" / "b" / "c.json").read_bytes() == b"{}"


def test_a_link_inside_the_bucket_is_followed(bucket: FolderBucket) -> None:
    (bucket.root / "newest").symlink_to("day-2")
    asyncio.run(bucket.write("newest/c.json", b"{}", "application/json"))
    assert (bucket.root / "day-2" / "c.json").read_bytes() == b"{}"


def test_a_result_behind_a_link_that_leaves_the_bucket_makes_nothing_there(
    bucket: FolderBucket, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (bucket.root / "results").symlink_to(outside)
    with pytest.raises(BadInput, match="leaves the bucket"):
        asyncio.run(bucket.write("results/evil/sub/x.json", b"{}", "application/json"))
    assert list(outside.iterdir()) == []
