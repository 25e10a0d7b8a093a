import hashlib
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.object_store import Cut, Lie, ObjectStore, Refuse, serving

from preheat.errors import ProviderError
from preheat_providers.aws_lambda.shipped.weights.bucket import ATTEMPTS, Address, Bucket
from preheat_providers.aws_lambda.shipped.weights.credentials import Credentials
from preheat_providers.aws_lambda.shipped.weights.fetch import PART, begin_to_fetch, fetch
from preheat_providers.aws_lambda.shipped.weights.listing import LISTING, Item, listing_json

LARGE = random.Random(3).randbytes(2 * PART + 12_345)
CONTENTS = {"model/m.onnx": LARGE, "model/m.json": b"{}", "empty": b""}
CREDENTIALS = Credentials(key="AKIA", secret="s")


def item(path: str, content: bytes) -> Item:
    digest = hashlib.sha256(content).hexdigest()
    return Item(path=path, key=f"preheat/weights/{digest}", bytes=len(content), sha256=digest)


ITEMS = tuple(item(path, content) for path, content in CONTENTS.items())


def place(key: str) -> str:
    return f"/models/{key}"


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    objects = {place(each.key): CONTENTS[each.path] for each in ITEMS}
    with serving(ObjectStore(objects)) as running:
        yield running


@pytest.fixture
def bucket(store: ObjectStore) -> Iterator[Bucket]:
    address = Address(host=store.host, prefix="/models/", region="us-east-1", tls=False)
    made = Bucket(address, CREDENTIALS, timeout_s=5, sleep=lambda _: None)
    yield made
    made.close()


@pytest.fixture
def environ(store: ObjectStore) -> dict[str, str]:
    return {
        "PREHEAT_WEIGHTS_BUCKET": "models",
        "AWS_ENDPOINT_URL": f"http://{store.host}",
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "s",
    }


def files(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if not path.is_dir()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize("in_memory", [False, True])
def test_every_file_comes_whole_and_nothing_else(in_memory: bool, bucket: Bucket, tmp_path: Path) -> None:
    fetch(ITEMS, tmp_path / "w", bucket, in_memory=in_memory)
    assert files(tmp_path / "w") == CONTENTS
    assert all(path.is_symlink() == in_memory for path in (tmp_path / "w").rglob("*") if not path.is_dir())


def test_parts_are_asked_for_side_by_side(store: ObjectStore, bucket: Bucket, tmp_path: Path) -> None:
    store.together = threading.Barrier(3, timeout=30)
    fetch(ITEMS[:1], tmp_path, bucket)
    assert sorted(span for _, span in store.seen) == [
        f"bytes=0-{PART - 1}",
        f"bytes={2 * PART}-{len(LARGE) - 1}",
        f"bytes={PART}-{2 * PART - 1}",
    ]
    assert store.connections == 3


def test_what_is_there_and_whole_is_not_fetched_again(
    store: ObjectStore, bucket: Bucket, tmp_path: Path
) -> None:
    fetch(ITEMS, tmp_path, bucket)
    asked = len(store.seen)
    fetch(ITEMS, tmp_path, bucket)
    assert len(store.seen) == asked
    (tmp_path / "model/m.json").write_bytes(b"[]")
    fetch(ITEMS, tmp_path, bucket)
    assert len(store.seen) == asked + 1
    assert files(tmp_path) == CONTENTS


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_store_that_breaks_and_throttles_delays_and_no_more(
    in_memory: bool, store: ObjectStore, bucket: Bucket, tmp_path: Path
) -> None:
    store.faults += [Cut(100_000), Refuse(503), Cut(0), Refuse(500), Cut(1), Lie(honest=True)]
    fetch(ITEMS, tmp_path, bucket, in_memory=in_memory)
    assert files(tmp_path) == CONTENTS


@pytest.mark.parametrize("in_memory", [False, True])
def test_another_content_is_refused_and_nothing_of_it_is_kept(
    in_memory: bool, store: ObjectStore, bucket: Bucket, tmp_path: Path
) -> None:
    store.faults.append(Lie(honest=False))
    with pytest.raises(ProviderError, match=f"(?s)another content .*expected sha256 {ITEMS[0].sha256}"):
        fetch(ITEMS[:1], tmp_path, bucket, in_memory=in_memory, threads=1)
    assert files(tmp_path) == {}


def test_a_start_that_was_cut_off_goes_on_where_it_stopped(
    store: ObjectStore, bucket: Bucket, tmp_path: Path
) -> None:
    store.faults += [None, None, *[Refuse(503)] * ATTEMPTS]
    with pytest.raises(ProviderError, match="could not be read"):
        fetch(ITEMS[:1], tmp_path, bucket, threads=1)
    assert {path.name for path in (tmp_path / "model").iterdir()} == {"m.onnx.part", "m.onnx.parts"}
    store.seen.clear()
    fetch(ITEMS[:1], tmp_path, bucket)
    assert [span for _, span in store.seen] == [f"bytes={2 * PART}-{len(LARGE) - 1}"]
    assert files(tmp_path) == {"model/m.onnx": LARGE}


def test_a_part_of_another_size_is_begun_anew(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/m.onnx.part").write_bytes(b"of an older deploy")
    (tmp_path / "model/m.onnx.parts").write_bytes(b"\1\1\1")
    fetch(ITEMS[:1], tmp_path, bucket)
    assert files(tmp_path) == {"model/m.onnx": LARGE}


def test_a_full_disk_is_said(bucket: Bucket, tmp_path: Path) -> None:
    huge = Item(path="huge", key="preheat/weights/0", bytes=1 << 50, sha256="0")
    with pytest.raises(ProviderError, match="no room in /tmp for the") as caught:
        fetch([huge], tmp_path, bucket)
    assert "tmp_mb" in str(caught.value.hint)


def fetched(task: Path, environ: dict[str, str], into: Path) -> None:
    arriving = begin_to_fetch(task, environ, folder=into)
    assert arriving is not None
    arriving.result()


def test_a_function_fetches_what_its_archive_lists(environ: dict[str, str], tmp_path: Path) -> None:
    task = tmp_path / "task"
    task.mkdir()
    (task / LISTING).write_text(listing_json(ITEMS))
    fetched(task, environ, tmp_path / "w")
    assert files(tmp_path / "w") == CONTENTS


def test_into_memory_if_the_deploy_says_so(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / LISTING).write_text(listing_json(ITEMS[1:2]))
    fetched(tmp_path, environ | {"PREHEAT_WEIGHTS_INTO": "memory"}, tmp_path / "w")
    assert (tmp_path / "w/model/m.json").readlink().parts[:3] == ("/", "proc", str(os.getpid()))


def test_without_a_listing_or_a_bucket_there_is_nothing_to_fetch(
    environ: dict[str, str], tmp_path: Path
) -> None:
    assert begin_to_fetch(tmp_path, environ, folder=tmp_path / "w") is None
    (tmp_path / LISTING).write_text(listing_json(ITEMS))
    assert begin_to_fetch(tmp_path, {}, folder=tmp_path / "w") is None
