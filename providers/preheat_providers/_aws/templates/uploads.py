"""Uploads to a bucket of somebody else, which sends its events to EventBridge."""

from collections.abc import Iterable
from typing import Any

from preheat.project.model import ObjectCreated
from preheat.runtime.objects.uploads import sink_of
from preheat_providers._aws.templates.intrinsics import Json, iam_text, object_arn
from preheat_providers._aws.templates.keys import key_matchers, key_patterns


def event_pattern(upload: ObjectCreated) -> Json:
    """Return which events the trigger wants.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    detail: dict[str, Any] = {"bucket": {"name": [upload.bucket]}}
    if matchers := key_matchers(upload.prefix, upload.suffix):
        detail["object"] = {"key": matchers}
    return {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}


def readable_objects(uploads: Iterable[ObjectCreated]) -> list[Json]:
    """Return the ARNs of what the triggers read."""
    return [
        object_arn(upload.bucket, pattern)
        for upload in uploads
        for pattern in key_patterns(upload.prefix, upload.suffix)
    ]


def written_objects(uploads: Iterable[ObjectCreated]) -> list[Json]:
    """Return the ARNs of what the triggers write, each once."""
    sinks = sorted({sink_of(upload.output) for upload in uploads})
    return [object_arn(bucket, f"{iam_text(prefix)}*") for bucket, prefix in sinks]
