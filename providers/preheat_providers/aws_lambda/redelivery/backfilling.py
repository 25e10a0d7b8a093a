"""Objects that exist already, told to the queue of their trigger as S3 tells of new ones."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from preheat.errors import ProviderError
from preheat.runtime.objects.events import ObjectRecord, build_event
from preheat_providers._aws.errors import translated
from preheat_providers.aws_lambda.place import Place
from preheat_providers.aws_lambda.redelivery.queues import AT_ONCE, Message, queue_urls, send
from preheat_providers.aws_lambda.settings import Upload
from preheat_providers.aws_lambda.template.names import logical_id

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def backfill(place: Place, source: str) -> int:
    """Tell the trigger of `source` (`s3://BUCKET/PREFIX`) of every object there is, and return of how many.

    Raises ProviderError, also if no trigger runs on anything there.
    """
    place.require()
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    known = place.settings().triggers.uploads
    triggers = [each for each in known if _meets(each, bucket, prefix)]
    if not triggers:
        raise _nobody_listens(place.name, f"s3://{bucket}/{prefix}", known)
    urls = queue_urls(place)
    objects, sqs = place.session.client("s3"), place.session.client("sqs")
    sent = 0
    for trigger in triggers:
        queue = urls[logical_id("UploadQueue", trigger.name)]
        found = listed(objects, bucket, max(prefix, trigger.prefix, key=len))
        wanted = (each for each in found if trigger.wants(each.bucket, each.key))
        while batch := list(islice(wanted, AT_ONCE)):
            sent += len(send(sqs, queue, [message_of(each, trigger, place.session.region) for each in batch]))
    return sent


def listed(client: "S3Client", bucket: str, prefix: str) -> Iterator[ObjectRecord]:
    """Yield every object below `prefix`, in order of the keys. Raises ProviderError."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    with translated(f"s3://{bucket}/{prefix} cannot be listed"):
        for page in pages:
            for each in page.get("Contents", ()):
                if each["Key"].endswith("/"):
                    continue
                yield ObjectRecord(
                    bucket=bucket,
                    key=each["Key"],
                    size=each["Size"],
                    etag=each["ETag"].strip('"'),
                    version_id=None,
                    sequencer="",
                    time=each["LastModified"].timestamp(),
                )


def message_of(record: ObjectRecord, trigger: Upload, region: str) -> Message:
    """Return what S3 would say of an object to the queue of `trigger`."""
    event = build_event(record, trigger=trigger.name)
    event["Records"][0]["awsRegion"] = region
    return Message(json.dumps(event))


def _meets(trigger: Upload, bucket: str, prefix: str) -> bool:
    nested = trigger.prefix.startswith(prefix) or prefix.startswith(trigger.prefix)
    return trigger.bucket == bucket and nested


def _nobody_listens(name: str, source: str, known: Sequence[Upload]) -> ProviderError:
    places = [f"s3://{each.bucket}/{each.prefix}" for each in known]
    return ProviderError(
        f"No trigger of {name} runs on uploads to {source}; they run on {', '.join(places) or 'nothing'}.",
        hint=f"preheat backfill {name} {places[0]} --provider lambda" if places else None,
    )
