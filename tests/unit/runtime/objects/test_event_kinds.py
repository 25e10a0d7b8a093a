"""An object is read alike from a message of S3 and from an event of EventBridge."""

from typing import Any

import pytest
from tests.fakes.lambda_events import s3_event, s3_eventbridge, s3_record, s3_test_event

from preheat.runtime.objects.events import BadEvent, objects_of

KEYS = [
    "a b.png",
    "a+b.png",
    "100%.png",
    "%20.png",
    "in/a&b=c?d.png",
    "\u00fcber/\u65e5\u672c.png",
    "x" * 1020 + ".png",
    "\u00fc" * 510 + ".png",
]


@pytest.mark.parametrize("key", KEYS)
def test_any_key_is_read_from_both_kinds_of_event(key: str) -> None:
    (direct,) = objects_of(s3_event(s3_record("b", key)))
    (bridged,) = objects_of(s3_eventbridge("b", key))
    assert direct.key == bridged.key == key
    assert direct.bucket == bridged.bucket == "b"


def test_a_version_is_read_from_both_kinds_of_event() -> None:
    (direct,) = objects_of(s3_event(s3_record("b", "k", version_id="v1", etag='"e"')))
    event = s3_eventbridge("b", "k", etag='"e"', size=7)
    event["detail"]["object"]["version-id"] = "v1"
    (bridged,) = objects_of(event)
    assert (direct.version_id, direct.etag) == (bridged.version_id, bridged.etag) == ("v1", "e")
    assert bridged.size == 7
    assert bridged.sequencer == "00617F08299329D189"


@pytest.mark.parametrize(
    "document",
    [
        s3_test_event("b"),
        s3_event(s3_record("b", "k", name="ObjectRemoved:Delete")),
        s3_event(s3_record("b", "folder/")),
        s3_eventbridge("b", "k", kind="Object Deleted"),
    ],
)
def test_what_creates_no_object_names_none(document: Any) -> None:
    assert objects_of(document) == ()


def without(event: dict[str, Any], *path: str) -> dict[str, Any]:
    *parents, last = path
    inner = event
    for name in parents:
        inner = inner[name]
    del inner[last]
    return event


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        "text",
        {"Records": [{}]},
        {**s3_eventbridge("b", "k"), "source": "aws.ec2"},
        without(s3_eventbridge("b", "k"), "detail", "bucket"),
        without(s3_eventbridge("b", "k"), "detail", "object"),
        without(s3_eventbridge("b", "k"), "detail", "object", "key"),
        {**s3_eventbridge("b", "k"), "time": "soon"},
        {**s3_eventbridge("b", "k"), "detail": "none"},
    ],
)
def test_what_is_no_event_of_s3_is_refused(document: Any) -> None:
    with pytest.raises(BadEvent):
        objects_of(document)
