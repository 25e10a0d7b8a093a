"""Objects that were uploaded: each becomes a job of the endpoint, and its result goes under `output`. Ships.

The endpoint reads the object where it lies. EventBridge tells of the object, and later of what SageMaker
wrote to the bucket of jobs; both may come twice. What raises is tried again by Lambda, and then kept.
"""

import json
import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from preheat.runtime.objects.events import ObjectRecord, encode_key
from preheat.runtime.objects.results import content_type, is_json, result_body, result_key
from preheat.runtime.objects.uploads import Upload
from preheat_providers.sagemaker.front.client import runtime_client, s3_client
from preheat_providers.sagemaker.front.documents import Found, Record, media_type
from preheat_providers.sagemaker.front.exchange import ATTRIBUTES_CHARACTERS, Event
from preheat_providers.sagemaker.front.failures import failure_document
from preheat_providers.sagemaker.front.storage import Call, Endpoint, Objects
from preheat_providers.sagemaker.front.triggers import (
    identity_in,
    object_of,
    read_object,
    source_of,
    upload_id,
)

LARGEST_BYTES = 1 << 30
"""What an asynchronous endpoint takes: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html"""

KEPT_S = 7 * 24 * 3600.0
RECORD_BYTES = 1 << 20
RESULT_BYTES = 32 << 20
"""Up to this size a JSON result is wrapped; the function has 256 MB."""

_PLAIN = re.compile(r"[A-Za-z0-9!_.*'()/=@:,-]+")
LOCATION_CHARACTERS = 1024
"""What InputLocation, a header, takes, as it is and in all:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html, 2026-11-21"""

_log = logging.getLogger()


Ended = Callable[[str, Record, Upload, ObjectRecord], None]


class Lost(Exception):
    """An upload that comes to nothing, however often it is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """The uploads of one endpoint, whose jobs lie in `bucket` under `prefix`."""

    triggers: tuple[Upload, ...]
    bucket: str
    prefix: str
    timeout_s: float
    objects: Objects
    endpoint: Endpoint
    now: Callable[[], float] = time.time

    def take(self, event: Event) -> None:
        """Handle one event of EventBridge. Raises what prevents it."""
        detail = event["detail"]
        bucket, key = detail["bucket"]["name"], detail["object"]["key"]
        results = {f"{self.prefix}outputs/": self._succeeded, f"{self.prefix}failures/": self._failed}
        for folder, ended in results.items():
            if bucket == self.bucket and key.startswith(folder):
                return self._ended(key, ended)
        if bucket == self.bucket and key.startswith(self.prefix):
            # What the functions write themselves would make requests for ever.
            _tell("skipped", f"s3://{bucket}/{key}: lies among the jobs")
            return None
        return self._uploaded(read_object(event))

    def _uploaded(self, found: ObjectRecord) -> None:
        what = f"s3://{found.bucket}/{found.key}"
        trigger = next((each for each in self.triggers if each.wants(found.bucket, found.key)), None)
        if trigger is None or found.key.endswith("/"):
            _tell("skipped", f"{what}: no trigger takes it")
            return
        if found.size > LARGEST_BYTES:
            raise Lost(f"{what} has {found.size:,} bytes, and an endpoint takes {LARGEST_BYTES:,}.")
        identity = upload_id(trigger, found)
        record = Record(
            id=identity,
            created=self.now(),
            expires=self.now() + KEPT_S,
            request=found.version,
            output="",
            failure="",
            trigger=trigger.name,
            source=source_of(found),
        )
        # Before the request: its result may come at once, and is known by the record alone.
        new = self.objects.put_new(self.bucket, self._record(identity), record.to_json())
        if not new and (known := self._known(identity)) is not None and known.output:
            _tell("duplicate", f"{what}: is queued already, as {identity}")
            return
        self._send(record, found.key)

    def _send(self, record: Record, key: str) -> None:
        assert record.source is not None
        bucket = record.source["bucket"]
        attributes = f"s3://{bucket}/{encode_key(key)}"
        location = bucket, key
        if not _PLAIN.fullmatch(key) or len(f"s3://{bucket}/{key}") > LOCATION_CHARACTERS:
            location = self.bucket, f"{self.prefix}inputs/{record.id}"
            self.objects.copy((bucket, key), *location)
        call = Call(
            id=record.id,
            bucket=location[0],
            key=location[1],
            content_type=content_type(key),
            attributes=attributes if len(attributes) <= ATTRIBUTES_CHARACTERS else "",
            timeout_s=self.timeout_s,
        )
        output, failure = self.endpoint.send(call)
        self._keep(replace(record, output=output, failure=failure))
        _tell("queued", f"{attributes}: queued as {record.id}", id=record.id, attempt=record.attempts)

    def _ended(self, key: str, ended: Ended) -> None:
        identity = identity_in(key)
        record = self._known(identity) if identity is not None else None
        if record is None or record.source is None:
            return  # what came of a job
        source = object_of(record.source)
        trigger = next((each for each in self.triggers if each.name == record.trigger), None)
        if trigger is None:
            _tell("skipped", f"s3://{source.bucket}/{source.key}: its trigger {record.trigger} is gone")
            return
        now = self.objects.etag(source.bucket, source.key)
        if now is not None and now != source.etag:
            _tell("skipped", f"s3://{source.bucket}/{source.key}: has changed, which is another upload")
            return
        ended(key, record, trigger, source)

    def _succeeded(self, key: str, record: Record, trigger: Upload, source: ObjectRecord) -> None:
        found = self._read(key)
        kind = media_type(found)
        bucket, prefix = trigger.sink
        to = result_key(prefix, source.key, kind)
        if found.body is None:
            self.objects.copy((self.bucket, key), bucket, to)
        else:
            body = result_body(source, kind, found.body)
            self.objects.put(bucket, to, body, content_type="application/json" if is_json(kind) else kind)
        what = f"s3://{source.bucket}/{source.key}"
        _tell("delivered", f"{what}: done", id=record.id, result=f"s3://{bucket}/{to}")

    def _failed(self, key: str, record: Record, trigger: Upload, source: ObjectRecord) -> None:
        problem = failure_document(self._read(key).body or b"", record.id)
        what = f"s3://{source.bucket}/{source.key}"
        if problem["status"] >= 500 and record.attempts < trigger.attempts:
            again = replace(record, attempts=record.attempts + 1, output="")
            self._keep(again)
            self._send(again, source.key)
            return
        raise Lost(f"{what}: {problem['status']} at attempt {record.attempts}: {problem.get('detail', '')}")

    def _read(self, key: str) -> Found:
        found = self.objects.get(self.bucket, key, RESULT_BYTES)
        if found is None:
            raise Lost(f"s3://{self.bucket}/{key} is gone before it was delivered.")
        return found

    def _known(self, identity: str) -> Record | None:
        found = self.objects.get(self.bucket, self._record(identity), RECORD_BYTES)
        return Record.from_json(found.body) if found is not None and found.body is not None else None

    def _keep(self, record: Record) -> None:
        self.objects.put(self.bucket, self._record(record.id), record.to_json())

    def _record(self, identity: str) -> str:
        return f"{self.prefix}records/{identity}.json"


def _tell(event: str, message: str, **more: Any) -> None:
    _log.info(message, extra={"event": event, **more})


@cache
def _uploads() -> Uploads:
    _log.setLevel(logging.INFO)
    return Uploads(
        triggers=tuple(Upload.of(each) for each in json.loads(os.environ["PREHEAT_TRIGGERS"])),
        bucket=os.environ["PREHEAT_BUCKET"],
        prefix=os.environ["PREHEAT_PREFIX"],
        timeout_s=float(os.environ["PREHEAT_TIMEOUT_S"]),
        objects=Objects(s3_client()),
        endpoint=Endpoint(runtime_client(), os.environ["PREHEAT_ENDPOINT"]),
    )


def handler(event: Event, _context: object) -> None:
    """Handle one event."""
    _uploads().take(event)
