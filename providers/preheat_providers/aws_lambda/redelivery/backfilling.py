"""Objects that exist already, told to the queue of their trigger as S3 tells of new ones."""

import json
from collections.abc import Sequence
from itertools import islice

from preheat.errors import ProviderError
from preheat.runtime.objects.events import ObjectRecord, build_event
from preheat_providers._aws.listing import listed
from preheat_providers._aws.queues import AT_ONCE, Message, queue_urls, send
from preheat_providers.aws_lambda.place import Place
from preheat_providers.aws_lambda.shipped.settings import Upload
from preheat_providers.aws_lambda.template.names import flags, logical_id


def backfill(place: Place, source: str) -> int:
    """Tell the trigger of `source` (`s3://BUCKET/PREFIX`) of every object there is, and return of how many.

    Raises ProviderError, also if no trigger runs on anything there.
    """
    place.require()
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    known = place.settings().triggers.uploads
    triggers = [each for each in known if _meets(each, bucket, prefix)]
    if not triggers:
        raise _nobody_listens(place, f"s3://{bucket}/{prefix}", known)
    urls = queue_urls(place.session.client("cloudformation"), place.function)
    objects, sqs = place.session.client("s3"), place.session.client("sqs")
    sent = 0
    for trigger in triggers:
        queue = urls[logical_id("UploadQueue", trigger.name)]
        found = listed(objects, bucket, max(prefix, trigger.prefix, key=len))
        wanted = (each for each in found if trigger.wants(each.bucket, each.key))
        while batch := list(islice(wanted, AT_ONCE)):
            sent += len(send(sqs, queue, [message_of(each, trigger, place.session.region) for each in batch]))
    return sent


def message_of(record: ObjectRecord, trigger: Upload, region: str) -> Message:
    """Return what S3 would say of an object to the queue of `trigger`."""
    event = build_event(record, trigger=trigger.name)
    event["Records"][0]["awsRegion"] = region
    return Message(json.dumps(event))


def _meets(trigger: Upload, bucket: str, prefix: str) -> bool:
    nested = trigger.prefix.startswith(prefix) or prefix.startswith(trigger.prefix)
    return trigger.bucket == bucket and nested


def _nobody_listens(place: Place, source: str, known: Sequence[Upload]) -> ProviderError:
    if not known:
        return ProviderError(
            f"{place.name} has no trigger that runs on uploads.",
            hint=f'[triggers.uploads]\ntype = "object-created"\nbucket = "{_bucket(source)}"',
        )
    places = [f"s3://{each.bucket}/{each.prefix}" for each in known]
    return ProviderError(
        f"No trigger of {place.name} runs on uploads to {source}; they run on {', '.join(places)}.",
        hint=f"preheat backfill {place.name} {places[0]} {flags(place.stage)}",
    )


def _bucket(source: str) -> str:
    return source.removeprefix("s3://").partition("/")[0]
