"""What a trigger wants, and the object that an event tells of. Ships; pure."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime

from preheat.runtime.objects.events import ObjectRecord
from preheat.runtime.objects.uploads import Upload
from preheat_providers.sagemaker.front.exchange import Event

_ID = re.compile(r"[0-9a-f]{32}")


def upload_id(trigger: Upload, found: ObjectRecord) -> str:
    """Return the id of the job: the same for every delivery of one upload, and so the result's name too."""
    parts = ("upload", trigger.name, found.bucket, found.key, found.version, found.sequencer)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def read_object(event: Event) -> ObjectRecord:
    """Return the object that EventBridge tells of; its keys are not encoded.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    detail = event["detail"]
    stored = detail["object"]
    return ObjectRecord(
        bucket=detail["bucket"]["name"],
        key=stored["key"],
        size=int(stored.get("size", 0)),
        etag=stored.get("etag", ""),
        version_id=stored.get("version-id"),
        sequencer=stored.get("sequencer", ""),
        time=datetime.fromisoformat(event["time"]).timestamp(),
    )


def identity_in(key: str) -> str | None:
    """Return the id of the job that a result or a failure is of: it is in the name of its object."""
    found = _ID.search(key.rpartition("/")[2])
    return found[0] if found is not None else None


def source_of(found: ObjectRecord) -> dict[str, str]:
    """Return what a record keeps of an object."""
    version = {} if found.version_id is None else {"version": found.version_id}
    return {"bucket": found.bucket, "key": found.key, "etag": found.etag, **version}


def object_of(source: Mapping[str, str], *, sequencer: str = "") -> ObjectRecord:
    """Return the object that a record keeps."""
    return ObjectRecord(
        bucket=source["bucket"],
        key=source["key"],
        size=0,
        etag=source["etag"],
        version_id=source.get("version"),
        sequencer=sequencer,
        time=0.0,
    )
