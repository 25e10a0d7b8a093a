"""The objects that an event speaks of, whichever way it came. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.data_classes import S3EventBridgeNotificationEvent

from preheat.runtime.objects.events import BadEvent, ObjectRecord, read_event

CREATED = "Object Created"


def objects_of(document: Any) -> tuple[ObjectRecord, ...]:
    """Return the objects that a notification of S3 or an event of EventBridge names. Raises BadEvent."""
    if isinstance(document, Mapping) and "detail-type" in document:
        return _of_eventbridge(document)
    return read_event(document)


def _of_eventbridge(document: Mapping[str, Any]) -> tuple[ObjectRecord, ...]:
    event = S3EventBridgeNotificationEvent(dict(document))
    if event.get("source") != "aws.s3":
        raise BadEvent(f"an event of {event.get('source')!r} names no object of S3")
    if event.detail_type != CREATED:
        return ()
    try:
        found = event.detail.object
        return (
            ObjectRecord(
                bucket=event.detail.bucket.name,
                key=found["key"],  # EventBridge does not encode it, but `found.key` decodes it
                size=found.size or 0,
                etag=found.etag.strip('"'),
                version_id=found.get("version-id") or None,
                sequencer=found.sequencer,
                time=datetime.fromisoformat(event.time).timestamp(),
            ),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadEvent(f"an event of S3 has detail.bucket.name and detail.object.key: {error!r}") from error
