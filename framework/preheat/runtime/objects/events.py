"""S3 event messages, built as AWS builds them and read as AWS's are read. Pure.

The shape is that of event version 2.1 in the S3 user guide, "Event message structure".
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from preheat.runtime.objects import TEST_EVENT


class BadEvent(Exception):
    """The document is no S3 event message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRecord:
    """One object that was created. `key` is decoded; `time` is seconds of the epoch."""

    bucket: str
    key: str
    size: int
    etag: str
    version_id: str | None
    sequencer: str
    time: float

    @property
    def version(self) -> str:
        """What tells one content of the key from the next: the version id where the bucket keeps versions."""
        return self.etag if self.version_id is None else self.version_id

    @property
    def event_id(self) -> str:
        """The same for every delivery of the same version of the same object: 32 hex digits."""
        parts = "\0".join((self.bucket, self.key, self.version))
        return hashlib.sha256(parts.encode()).hexdigest()[:32]


def encode_key(key: str) -> str:
    """Return `key` as an event carries it: a space is `+`, all but letters, digits and `/-_.~` is %XX."""
    return quote_plus(key, safe="/")


def decode_key(encoded: str) -> str:
    """Return the key that an event carries. Raises BadEvent unless it is UTF-8."""
    try:
        return unquote_plus(encoded, errors="strict")
    except UnicodeDecodeError as error:
        raise BadEvent(f"the key {encoded!r} is not UTF-8") from error


def build_event(record: ObjectRecord, *, trigger: str) -> dict[str, Any]:
    """Return the event message of one created object, with the region `local`."""
    moment = (
        datetime.fromtimestamp(record.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
    stored = {
        "key": encode_key(record.key),
        "size": record.size,
        "eTag": record.etag,
        "sequencer": record.sequencer,
    }
    if record.version_id is not None:
        stored["versionId"] = record.version_id
    body = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "local",
        "eventTime": moment.replace("+00:00", "Z"),
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "preheat"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": record.event_id[:16].upper(), "x-amz-id-2": record.event_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": trigger,
            "bucket": {
                "name": record.bucket,
                "ownerIdentity": {"principalId": "preheat"},
                "arn": f"arn:aws:s3:::{record.bucket}",
            },
            "object": stored,
        },
    }
    return {"Records": [body]}


def read_event(document: Any) -> tuple[ObjectRecord, ...]:
    """Return the objects that an event message says were created; none for a test event. Raises BadEvent."""
    if not isinstance(document, Mapping):
        raise BadEvent("an S3 event is a JSON object")
    if document.get("Event") == TEST_EVENT:
        return ()
    try:
        return tuple(
            _read_record(record)
            for record in document["Records"]
            if "ObjectCreated:" in record["eventName"] and not record["s3"]["object"]["key"].endswith("/")
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadEvent(f"an S3 event has Records[].s3.bucket.name and .object.key: {error!r}") from error


def read_notification(document: Any) -> ObjectRecord | None:
    """Return the object that an event of EventBridge says was created; None for another event of S3.

    Its key is not encoded: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html. Raises
    BadEvent.
    """
    try:
        if document["source"] != "aws.s3":
            raise BadEvent(f"an event of {document['source']!r} names no object of S3")
        if document["detail-type"] != "Object Created" or document["detail"]["object"]["key"].endswith("/"):
            return None
        stored = document["detail"]["object"]
        return ObjectRecord(
            bucket=document["detail"]["bucket"]["name"],
            key=stored["key"],
            size=int(stored.get("size", 0)),
            etag=stored["etag"].strip('"'),
            version_id=stored.get("version-id") or None,
            sequencer=stored.get("sequencer", ""),
            time=datetime.fromisoformat(document["time"]).timestamp(),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadEvent(f"an event of S3 has detail.bucket.name and detail.object.key: {error!r}") from error


def objects_of(document: Any) -> tuple[ObjectRecord, ...]:
    """Return the objects that a message of S3 or an event of EventBridge names. Raises BadEvent."""
    if isinstance(document, Mapping) and "detail-type" in document:
        record = read_notification(document)
        return () if record is None else (record,)
    return read_event(document)


def _read_record(record: Mapping[str, Any]) -> ObjectRecord:
    stored = record["s3"]["object"]
    return ObjectRecord(
        bucket=record["s3"]["bucket"]["name"],
        key=decode_key(stored["key"]),
        size=int(stored.get("size", 0)),
        etag=stored["eTag"].strip('"'),
        version_id=stored.get("versionId"),
        sequencer=stored.get("sequencer", ""),
        time=datetime.fromisoformat(record["eventTime"]).timestamp(),
    )
