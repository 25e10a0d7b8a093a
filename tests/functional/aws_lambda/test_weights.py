"""Weights from an S3 of the test's own to a function's folder: stored by boto3, fetched without it."""

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from preheat.bundle.model import Layer, Target
from preheat.bundle.shipped import shipped_files
from preheat.errors import ProviderError
from preheat.progress import quiet
from preheat_providers.aws_lambda.artifact import store_weights, weight_items
from preheat_providers.aws_lambda.shipped.weights.fetch import BUCKET as VARIABLE
from preheat_providers.aws_lambda.shipped.weights.fetch import begin_to_fetch
from preheat_providers.aws_lambda.shipped.weights.listing import LISTING, listing_json
from preheat_providers.aws_lambda.target import FETCHING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "team-artifacts"
CONTENTS = {"model/m.onnx": random.Random(5).randbytes(20_000_000), "words/größe.txt": b"text"}
SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from preheat_providers.aws_lambda.shipped.weights.fetch import begin_to_fetch
import os
begin_to_fetch(Path(sys.argv[1]), os.environ, folder=Path(sys.argv[2])).result()
foreign = {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names
assert {name for name in foreign if not name.startswith("_")} <= {"preheat", "preheat_providers"}, foreign
"""


@pytest.fixture
def task(s3: "S3Client", tmp_path: Path) -> Path:
    """What the archive of a function unpacks to, as far as it is about weights; the rest is in the bucket."""
    layer = Layer(name="weights", digest="sha256:0", bytes=0, path=tmp_path / "layer")
    for path, content in CONTENTS.items():
        (layer.path / path).parent.mkdir(parents=True)
        (layer.path / path).write_bytes(content)
    items = weight_items(layer, "preheat/demo/dev/")
    store_weights(s3, layer, items, bucket=BUCKET, report=quiet)
    folder = tmp_path / "task"
    target = Target(provider="aws_lambda", platform="x", python="3.13", entry=FETCHING)
    for name, source in shipped_files(target, "handler:Model", "").items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(source.read_bytes())
    (folder / LISTING).write_text(listing_json(items))
    return folder


def fetched(task: Path, into: Path) -> None:
    arriving = begin_to_fetch(task, {**os.environ, VARIABLE: BUCKET}, folder=into)
    assert arriving is not None
    arriving.result()


def files(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_a_process_with_the_standard_library_alone_fetches_them(task: Path, tmp_path: Path) -> None:
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    environment = {**os.environ, VARIABLE: BUCKET}
    done = subprocess.run(
        [python, "-I", "-S", "-c", SCRIPT, task, tmp_path / "w"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "w") == CONTENTS


def test_an_object_that_was_swapped_is_refused(task: Path, s3: "S3Client", tmp_path: Path) -> None:
    (key,) = [
        each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"] if each["Size"] == 20_000_000
    ]
    s3.put_object(Bucket=BUCKET, Key=key, Body=bytes(20_000_000))
    with pytest.raises(ProviderError, match=r"weights model/m\.onnx have another content"):
        fetched(task, tmp_path / "w")


def test_an_object_that_was_removed_is_said(task: Path, s3: "S3Client", tmp_path: Path) -> None:
    for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=each["Key"])
    with pytest.raises(ProviderError, match="answered 404 NoSuchKey") as caught:
        fetched(task, tmp_path / "w")
    assert "deploy again" in str(caught.value.hint)
