"""Uploads again: those that came to nothing, and objects that were there before the trigger."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from preheat.errors import ProviderError
from preheat.runtime.objects.events import ObjectRecord
from preheat.runtime.objects.uploads import Upload
from preheat_providers._aws.errors import translated
from preheat_providers._aws.listing import listed
from preheat_providers._aws.queues import queue_urls, received, remove
from preheat_providers._aws.stacks import Stack
from preheat_providers.sagemaker.front.documents import Record
from preheat_providers.sagemaker.front.triggers import identity_in, object_of
from preheat_providers.sagemaker.place import Place
from preheat_providers.sagemaker.shipped.settings import PROVIDER
from preheat_providers.sagemaker.template.names import RECORDS
from preheat_providers.sagemaker.template.uploads import LOST

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def replay(place: Place) -> int:
    """Send every event that was lost to the forwarder again, and return how many. Raises ProviderError.

    Of an upload whose result was a failure the upload itself comes again, as a new one.
    """
    stack = place.require().stack
    if "LostUploads" not in stack.outputs:
        return 0
    url = queue_urls(place.session.client("cloudformation"), place.stack_name)[LOST]
    sqs, calls = place.session.client("sqs"), place.session.client("lambda")
    made = 0
    with translated(f"the lost uploads of {place.name} cannot be made again"):
        while messages := received(sqs, url):
            for message in messages:
                event = _again(place, stack, event_in(json.loads(message["Body"])))
                _call(calls, stack.outputs["Uploads"], event)
                remove(sqs, url, [message])
                made += 1
    return made


def backfill(place: Place, source: str) -> int:
    """Tell the forwarder of every object below `source` (`s3://BUCKET/PREFIX`), and return of how many.

    Raises ProviderError, also if no trigger runs on anything there.
    """
    stack = place.require().stack
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    known = triggers_of(place, stack)
    meeting = [each for each in known if each.bucket == bucket and _nested(each.prefix, prefix)]
    if not meeting:
        places = [f"s3://{each.bucket}/{each.prefix}" for each in known]
        raise ProviderError(
            f"No trigger of {place.name} runs on uploads to s3://{bucket}/{prefix}; "
            f"they run on {', '.join(places) or 'nothing'}.",
            hint=f"preheat backfill {place.name} {places[0]} --provider {PROVIDER}" if places else None,
        )
    calls = place.session.client("lambda")
    sent = 0
    with translated(f"the uploads of {place.name} cannot be told of"):
        for record in _wanted(place, meeting, bucket, prefix):
            _call(calls, stack.outputs["Uploads"], event_of(record, "backfill"))
            sent += 1
    return sent


def triggers_of(place: Place, stack: Stack) -> tuple[Upload, ...]:
    """Return the triggers on uploads that are deployed."""
    if "Uploads" not in stack.outputs:
        return ()
    client = place.session.client("lambda")
    with translated(f"the triggers of {place.name} cannot be read"):
        found = client.get_function_configuration(FunctionName=stack.outputs["Uploads"])
    text = found.get("Environment", {}).get("Variables", {})["PREHEAT_TRIGGERS"]
    return tuple(Upload.of(each) for each in json.loads(text))


def event_in(message: dict[str, Any]) -> dict[str, Any]:
    """Return the event that a lost message holds: Lambda wraps it, EventBridge does not.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    event: dict[str, Any] = message.get("requestPayload", message)
    return event


def event_of(record: ObjectRecord, reason: str) -> dict[str, Any]:
    """Return what EventBridge would tell of an object."""
    stored: dict[str, Any] = {
        "key": record.key,
        "size": record.size,
        "etag": record.etag,
        "sequencer": record.sequencer,
    }
    if record.version_id is not None:
        stored["version-id"] = record.version_id
    return {
        "source": "preheat",
        "detail-type": "Object Created",
        "time": "1970-01-01T00:00:00Z",
        "detail": {"bucket": {"name": record.bucket}, "object": stored, "reason": reason},
    }


def _again(place: Place, stack: Stack, event: dict[str, Any]) -> dict[str, Any]:
    """Return the event to send: that of the upload itself where `event` tells of its failure."""
    bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
    prefix = place.job_prefix(stack)
    identity = identity_in(key) if key.startswith(f"{prefix}failures/") else None
    if bucket != stack.outputs["JobsBucket"] or identity is None:
        return event
    with translated(f"the record of {identity} cannot be read"):
        found = place.session.client("s3").get_object(Bucket=bucket, Key=f"{prefix}{RECORDS}{identity}.json")
        record = Record.from_json(found["Body"].read())
    if record.source is None:
        return event
    # With a sequencer of its own it is another upload: the record of the one that failed stays as it is.
    return event_of(object_of(record.source, sequencer=f"replay {identity}"), "replay")


def _call(client: "LambdaClient", function: str, event: dict[str, Any]) -> None:
    client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())


def _wanted(place: Place, triggers: list[Upload], bucket: str, prefix: str) -> Iterator[ObjectRecord]:
    for trigger in triggers:
        for record in listed(place.session.client("s3"), bucket, max(prefix, trigger.prefix, key=len)):
            if trigger.wants(record.bucket, record.key):
                yield record


def _nested(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
