from dataclasses import replace
from typing import Any

import pytest

from preheat.runtime.objects.uploads import Upload
from preheat_providers.sagemaker.front.triggers import (
    object_of,
    read_object,
    source_of,
    upload_id,
)

SCANS = Upload(name="scans", bucket="up", prefix="in/", suffix=".png", output="out/text", attempts=3)
EVENT: dict[str, Any] = {
    "detail-type": "Object Created",
    "source": "aws.s3",
    "time": "2026-11-21T12:22:09Z",
    "detail": {
        "bucket": {"name": "up"},
        "object": {
            "key": "in/a b+é.png",
            "size": 5,
            "etag": "b1946ac92492d2347c6235b4d2611184",
            "version-id": "v1",
            "sequencer": "00617F08299329D189",
        },
    },
}


def test_the_key_of_an_event_is_not_decoded_again() -> None:
    found = read_object(EVENT)
    assert (found.bucket, found.key, found.size, found.version) == ("up", "in/a b+é.png", 5, "v1")


def test_every_delivery_of_an_upload_has_the_same_id_and_no_other_upload_has_it() -> None:
    found = read_object(EVENT)
    first = upload_id(SCANS, found)
    assert upload_id(SCANS, read_object(EVENT | {"time": "2026-11-21T12:22:10Z"})) == first
    others = [
        upload_id(replace(SCANS, name="other"), found),
        upload_id(SCANS, replace(found, bucket="x")),
        upload_id(SCANS, replace(found, key="in/b.png")),
        upload_id(SCANS, replace(found, version_id="v2")),
        upload_id(SCANS, replace(found, sequencer="00617F08299329D18A")),
    ]
    assert len({first, *others}) == 6
    assert len(first) == 32


@pytest.mark.parametrize("version", ["v1", None])
def test_a_record_gives_the_object_back(version: str | None) -> None:
    found = replace(read_object(EVENT), version_id=version)
    again = object_of(source_of(found))
    assert (again.bucket, again.key, again.etag, again.version) == (
        found.bucket,
        found.key,
        found.etag,
        found.version,
    )


@pytest.mark.parametrize(
    ("bucket", "key", "wanted"),
    [("up", "in/a.png", True), ("up", "in/a.txt", False), ("up", "a.png", False), ("b", "in/a.png", False)],
)
def test_a_trigger_wants_its_own_bucket_prefix_and_suffix(bucket: str, key: str, wanted: bool) -> None:
    assert SCANS.wants(bucket, key) is wanted


@pytest.mark.parametrize(
    ("output", "sink"),
    [("out/text", ("out", "text/")), ("out/text/", ("out", "text/")), ("out", ("out", ""))],
)
def test_results_go_into_a_folder(output: str, sink: tuple[str, str]) -> None:
    assert replace(SCANS, output=output).sink == sink
