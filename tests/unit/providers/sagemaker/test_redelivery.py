from preheat.runtime.objects.events import ObjectRecord
from preheat.runtime.objects.uploads import Upload
from preheat_providers.sagemaker.front.triggers import read_object, upload_id
from preheat_providers.sagemaker.redelivery import event_in, event_of

FOUND = ObjectRecord(bucket="b", key="in/é a.png", size=3, etag="e", version_id="v", sequencer="s", time=0.0)
SCANS = Upload(name="scans", bucket="b", prefix="in/", suffix="", output="out", attempts=3)


def test_an_object_is_told_of_as_eventbridge_tells_of_it() -> None:
    assert read_object(event_of(FOUND, "backfill")) == FOUND
    assert upload_id(SCANS, read_object(event_of(FOUND, "replay"))) == upload_id(SCANS, FOUND)


def test_a_lost_event_is_found_whoever_has_lost_it() -> None:
    event = event_of(FOUND, "x")
    assert event_in({"requestPayload": event, "requestContext": {"condition": "RetriesExhausted"}}) == event
    assert event_in(event) == event
