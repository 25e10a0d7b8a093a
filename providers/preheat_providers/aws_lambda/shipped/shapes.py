"""What kind of event this is, told by its shape alone. Pure; ships."""

from collections.abc import Mapping
from typing import Any, Literal

from preheat.errors import PreheatError
from preheat.runtime.objects import TEST_EVENT

Kind = Literal["s3", "sqs", "s3-eventbridge", "schedule", "job", "request", "warm", "direct"]

JOB, REQUEST, WARM = "preheat-job", "preheat-request", "preheat-warm"
"""The only key of an event that is ours: an attempt at a job, a request as bytes, a call to keep warm."""
_OURS: Mapping[str, Kind] = {JOB: "job", REQUEST: "request", WARM: "warm"}
SCHEDULED = frozenset({"aws.scheduler", "aws.events"})
_EVENTBRIDGE = frozenset({"source", "detail-type", "detail"})
_TAKEN = "HTTP, uploads to S3 (at once, over SQS or EventBridge), SQS, schedules and direct calls"


class UnknownEvent(PreheatError):
    """The event is of a kind that no trigger of preheat.toml makes."""


def unannounced(kind: Kind) -> UnknownEvent:
    """Return the error for an event of a kind that no trigger of the function brings."""
    return UnknownEvent(
        f"An event of the kind {kind} came, and this function has no triggers for it. "
        "Add one to preheat.toml and deploy, or remove what sends such events."
    )


def kind_of(event: Any) -> Kind:
    """Return what `event` is, which is no request over HTTP. Raises UnknownEvent.

    What looks like no event of AWS is a direct call: the event is the handler's input.
    """
    if not isinstance(event, Mapping):
        return "direct"
    if event.get("Event") == TEST_EVENT:
        return "s3"
    sources = _record_sources(event.get("Records"))
    if sources:
        return _of_records(sources)
    if event.keys() >= _EVENTBRIDGE:
        return _of_eventbridge(event)
    if isinstance(event.get("requestContext"), Mapping):
        raise UnknownEvent(
            f"This is a request, but none over HTTP (a WebSocket?). A function takes {_TAKEN}."
        )
    return _OURS.get(next(iter(event)), "direct") if len(event) == 1 else "direct"


def _record_sources(records: Any) -> set[str]:
    if not isinstance(records, list):
        return set()
    sources = [
        record.get("eventSource") or record.get("EventSource")
        for record in records
        if isinstance(record, Mapping)
    ]
    return {source for source in sources if isinstance(source, str) and source.startswith("aws:")}


def _of_records(sources: set[str]) -> Kind:
    if sources == {"aws:s3"}:
        return "s3"
    if sources == {"aws:sqs"}:
        return "sqs"
    raise UnknownEvent(
        f"Records of {', '.join(sorted(sources))} came. A function takes {_TAKEN}. "
        "Remove the event source mapping or the permission that sends these."
    )


def _of_eventbridge(event: Mapping[str, Any]) -> Kind:
    source, detail = event["source"], event["detail-type"]
    if source == "aws.s3":
        return "s3-eventbridge"
    if source in SCHEDULED and detail == "Scheduled Event":
        return "schedule"
    raise UnknownEvent(
        f"An event {detail!r} of {source!r} came over EventBridge. A function takes {_TAKEN}. "
        "Remove the rule that sends it."
    )
