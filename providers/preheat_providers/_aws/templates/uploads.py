"""Uploads to a bucket of somebody else, which sends its events to EventBridge."""

from typing import Any

from preheat.project.model import ObjectCreated
from preheat_providers._aws.templates.intrinsics import Json
from preheat_providers._aws.templates.keys import key_matchers


def event_pattern(upload: ObjectCreated) -> Json:
    """Return which events the trigger wants.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    detail: dict[str, Any] = {"bucket": {"name": [upload.bucket]}}
    if matchers := key_matchers(upload.prefix, upload.suffix):
        detail["object"] = {"key": matchers}
    return {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}


def sink_of(upload: ObjectCreated) -> tuple[str, str]:
    """Return bucket and prefix of the results; the prefix is empty or ends in `/`."""
    bucket, _, prefix = upload.output.partition("/")
    folder = prefix.rstrip("/")
    return bucket, f"{folder}/" if folder else ""
