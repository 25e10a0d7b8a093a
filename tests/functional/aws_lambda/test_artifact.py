"""Archives and weights in a bucket, over HTTP with real boto3."""

import hashlib
import random
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from preheat.bundle.model import Layer
from preheat.bundle.zip.archive import Archive
from preheat.errors import ProviderError
from preheat.progress import Amount, Event, quiet
from preheat_providers._aws.storing import PART_BYTES, expected_checksum
from preheat_providers.aws_lambda.artifact import (
    archive_key,
    store_archive,
    store_weights,
    weight_items,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "team-artifacts"
FOLDER = "preheat/demo/dev/"
KEY = f"{FOLDER}archive.zip"
SMALL = b"zip" * 1000
LARGE = random.Random(4).randbytes(2 * PART_BYTES + 5)


def archive(folder: Path, content: bytes) -> Archive:
    path = folder / "made.zip"
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return Archive(digest=f"sha256:{digest}", sha256=digest, bytes=len(content), path=path, cached=False)


def in_bucket(s3: "S3Client") -> dict[str, bytes]:
    listed = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {each["Key"]: s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in listed}


@pytest.mark.parametrize("content", [SMALL, LARGE, LARGE[:PART_BYTES], LARGE[: PART_BYTES - 1], b""])
def test_an_archive_is_sent_once_and_found_from_then_on(
    content: bytes, s3: "S3Client", tmp_path: Path
) -> None:
    made = archive(tmp_path, content)
    first = store_archive(s3, made, bucket=BUCKET, key=archive_key(FOLDER, made.digest), report=quiet)
    assert (first.key, first.bytes, first.sent) == (archive_key(FOLDER, made.digest), len(content), True)
    assert in_bucket(s3) == {f"preheat/demo/dev/{made.sha256}.zip": content}
    assert store_archive(s3, made, bucket=BUCKET, key=first.key, report=quiet).sent is False


def test_the_checksum_is_of_the_file_or_of_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abcde")
    whole = b64encode(hashlib.sha256(b"abcde").digest()).decode()
    parts = [hashlib.sha256(part).digest() for part in (b"ab", b"cd", b"e")]
    assert expected_checksum(path, 6) == whole
    assert expected_checksum(path, 2) == b64encode(hashlib.sha256(b"".join(parts)).digest()).decode()


@pytest.mark.parametrize("content", [SMALL, LARGE])
def test_an_object_with_another_content_is_replaced(content: bytes, s3: "S3Client", tmp_path: Path) -> None:
    made = archive(tmp_path, content)
    swapped = bytes(len(content))
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=swapped, ChecksumAlgorithm="SHA256")
    assert store_archive(s3, made, bucket=BUCKET, key=KEY, report=quiet).sent is True
    assert in_bucket(s3)[KEY] == content


def test_progress_ends_at_the_total(s3: "S3Client", tmp_path: Path) -> None:
    events: list[Event] = []
    store_archive(s3, archive(tmp_path, LARGE), bucket=BUCKET, key=KEY, report=events.append)
    amounts = [event for event in events if isinstance(event, Amount)]
    assert len(amounts) > 2
    assert amounts[-1] == Amount("upload", "archive", len(LARGE), len(LARGE), "bytes")
    assert [event.done for event in amounts] == sorted(event.done for event in amounts)


def test_weights_are_shared_by_content(s3: "S3Client", tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/m.onnx").write_bytes(LARGE)
    (tmp_path / "model/words.txt").write_bytes(SMALL)
    (tmp_path / "again.txt").write_bytes(SMALL)
    layer = Layer(name="weights", digest="sha256:0", bytes=0, path=tmp_path)
    items = weight_items(layer, FOLDER)
    assert [item.path for item in items] == ["again.txt", "model/m.onnx", "model/words.txt"]
    stored = store_weights(s3, layer, items, bucket=BUCKET, report=quiet)
    assert [each.sent for each in stored] == [True, True, False]
    assert in_bucket(s3) == {
        f"preheat/demo/dev/weights/{hashlib.sha256(content).hexdigest()}": content
        for content in (LARGE, SMALL)
    }
    assert not any(each.sent for each in store_weights(s3, layer, items, bucket=BUCKET, report=quiet))


def test_a_bucket_that_is_not_there_is_said(s3: "S3Client", tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"s3://nowhere/preheat/.*: there is no such bucket") as caught:
        store_archive(s3, archive(tmp_path, SMALL), bucket="nowhere", key=KEY, report=quiet)
    assert "artifact_bucket" in str(caught.value.hint)
    assert "never-to-be-logged" not in caught.value.message


def test_without_credentials_it_is_said(
    s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    client = boto3.Session().client("s3", endpoint_url=s3_endpoint)
    with pytest.raises(ProviderError, match="Unable to locate credentials") as caught:
        store_archive(client, archive(tmp_path, SMALL), bucket=BUCKET, key=KEY, report=quiet)
    assert "AWS_PROFILE" in str(caught.value.hint)
    client.close()


def test_an_endpoint_that_is_not_there_is_said(s3_endpoint: str, tmp_path: Path) -> None:
    settings = Config(retries={"max_attempts": 0}, connect_timeout=2)
    client = boto3.client("s3", endpoint_url="http://127.0.0.1:9", config=settings)
    with pytest.raises(ProviderError, match="Could not connect to the endpoint"):
        store_archive(client, archive(tmp_path, SMALL), bucket=BUCKET, key=KEY, report=quiet)
    client.close()
